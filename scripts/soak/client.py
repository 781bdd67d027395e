# Python's http.client: a connection for each thread, kept for ever.
import http.client
import json
import random
import sys
import threading
import time

PORT = int(sys.argv[1])
BUSY = 3
THOUGHTFUL = 10
PAUSE_S = 0.2

over = threading.Event()
lock = threading.Lock()
ports = set()
report = {'requests': 0, 'failed': {}, 'kept': BUSY + THOUGHTFUL, 'fresh': 0, 'longestMs': 0}


def loop(nth, thoughtful):
    connection = http.client.HTTPConnection('127.0.0.1', PORT)
    serial = 0
    while not over.is_set():
        name = 'p%d-%d' % (nth, serial)
        serial += 1
        since = time.perf_counter()
        try:
            connection.request('GET', '/' + name)
            response = connection.getresponse()
            body = response.read().decode()
            if response.status != 200:
                raise RuntimeError('status %d' % response.status)
            echo, _, port = body.split(' ')
            if echo != name:
                raise RuntimeError('asked %s, answered %s' % (name, echo))
            with lock:
                ports.add(port)
                report['requests'] += 1
                report['longestMs'] = max(report['longestMs'], (time.perf_counter() - since) * 1000)
        except Exception as error:
            with lock:
                what = type(error).__name__ + ' ' + str(error)
                report['failed'][what] = report['failed'].get(what, 0) + 1
            connection.close()
            time.sleep(0.01)
        if thoughtful:
            time.sleep(random.random() * PAUSE_S)


threads = [threading.Thread(target=loop, args=(nth, nth >= BUSY)) for nth in range(BUSY + THOUGHTFUL)]
for thread in threads:
    thread.start()


def progress():
    while not over.wait(0.1):
        print(report['requests'], flush=True)


threading.Thread(target=progress, daemon=True).start()
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
report['ports'] = len(ports)
print(json.dumps(report), flush=True)
