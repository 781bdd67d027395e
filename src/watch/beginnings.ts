/**
 * The files that storms begin with. A generator writes the same file first each time, and a single file is not waited for:
 * so its first run makes a reload too many, and by what is learnt of it the next ones do not. Nor does the first, if the
 * file says of itself that it is generated. PURE.
 *
 * A file of these that is saved alone has been waited for in vain. Then it takes two storms in a row to be believed again,
 * then four: what a generator and a person write by turns is late once, and what is saved alone as a rule never.
 */
export interface Beginnings {
  /** More files are likely to follow this one. */
  isOne(file: string): boolean;
  /** A program writes it, and few write a single file: as if a storm had begun with it, until more is known. */
  generated(file: string): void;
  /** It was saved, and others followed. */
  followed(file: string): void;
  /** It was saved, and nothing followed. */
  alone(file: string): void;
}

/** A few generators and formatters. */
const MOST = 50;

interface Past {
  /** Storms in a row that it began. */
  readonly storms: number;
  /** How many it takes. */
  readonly needed: number;
}

export function openBeginnings(): Beginnings {
  /** The newest is the last. */
  const known = new Map<string, Past>();
  const isBelieved = ({ storms, needed }: Past): boolean => storms >= needed;
  const followed = (file: string): void => {
    const { storms, needed } = known.get(file) ?? { storms: 0, needed: 1 };
    known.delete(file);
    known.set(file, { storms: storms + 1, needed });
    for (const oldest of known.keys()) if (known.size > MOST) known.delete(oldest);
  };
  return {
    isOne(file) {
      const past = known.get(file);
      return past !== undefined && isBelieved(past);
    },
    generated(file) {
      if (!known.has(file)) followed(file);
    },
    followed,
    alone(file) {
      const past = known.get(file);
      if (past) known.set(file, { storms: 0, needed: isBelieved(past) ? past.needed * 2 : past.needed });
    },
  };
}
