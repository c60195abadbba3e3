import { HoldpointError } from "./errors.ts";

export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

export interface OfficeHours {
  /** `HH:MM`, from `00:00`; inclusive. */
  readonly from: string;
  /** `HH:MM`, to `24:00`; exclusive, and after `from`. */
  readonly to: string;
  /** Default Monday to Friday. */
  readonly days?: readonly Weekday[];
  /** An IANA name such as `Europe/Berlin`. Default `UTC`. */
  readonly timeZone?: string;
}

/**
 * For a rule's `when`: true when an action is proposed outside these hours, by the clock on the wall of `timeZone`.
 *
 * @throws `agent_invalid` for hours, days or a time zone that do not exist.
 */
export function outsideHours(hours: OfficeHours): (action: { readonly at: string }) => boolean {
  const { from, to, days = workdays, timeZone = "UTC" } = hours;
  const [opens, closes] = [minuteOf(from), minuteOf(to)];
  if (opens >= closes) throw invalid(`${from} is not before ${to}`);
  for (const day of days) if (!weekdays.has(day)) throw invalid(`there is no day ${JSON.stringify(day)}`);
  const wallClock = wallClockOf(timeZone);
  return ({ at }) => {
    const { day, minute } = wallClock(at);
    return !days.includes(day) || minute < opens || minute >= closes;
  };
}

const workdays: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri"];
const weekdays: ReadonlySet<Weekday> = new Set<Weekday>([...workdays, "sat", "sun"]);

function minuteOf(time: string): number {
  const [, hours, minutes] = /^(\d\d):([0-5]\d)$/.exec(time) ?? [];
  const minute = Number(hours) * 60 + Number(minutes);
  if (minute <= 24 * 60) return minute; // not so for NaN, either
  throw invalid(`${JSON.stringify(time)} is no time such as 09:00`);
}

function wallClockOf(timeZone: string): (at: string) => { readonly day: Weekday; readonly minute: number } {
  const format = formatIn(timeZone);
  return (at) => {
    const parts = new Map(format.formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
    const day = (parts.get("weekday") ?? "").toLowerCase() as Weekday; // the short English name
    return { day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
  };
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  const parts = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  try {
    return new Intl.DateTimeFormat("en-US", { ...parts, timeZone });
  } catch (cause) {
    throw invalid(`there is no time zone ${JSON.stringify(timeZone)}`, cause);
  }
}

function invalid(what: string, cause?: unknown): HoldpointError {
  return new HoldpointError("agent_invalid", `office hours: ${what}`, {
    fix: 'Use, for example, { from: "09:00", to: "17:00", days: ["mon", "tue"], timeZone: "Europe/Berlin" }.',
    cause,
  });
}
