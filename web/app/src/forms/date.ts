// Calendar arithmetic on text dates, without time zones; date.go once more.
// Day counts after Howard Hinnant, "chrono-compatible low-level date algorithms".

import type { Value } from "./types";

export const minYear = 1900;
export const maxYear = 2100;

export interface Moment {
  day: number;
  timed: boolean;
  seconds: number;
  nanos: number;
}

const div = (a: number, b: number): number => Math.floor(a / b);

export function daysFromCivil(year: number, m: number, d: number): number {
  const y = m <= 2 ? year - 1 : year;
  const era = div(y, 400);
  const yoe = y - era * 400;
  const doy = div(153 * ((m + 9) % 12) + 2, 5) + d - 1;
  const doe = yoe * 365 + div(yoe, 4) - div(yoe, 100) + doy;
  return era * 146097 + doe - 719468;
}

export function civilFromDays(days: number): [year: number, month: number, day: number] {
  const z = days + 719468;
  const era = div(z, 146097);
  const doe = z - era * 146097;
  const yoe = div(doe - div(doe, 1460) + div(doe, 36524) - div(doe, 146096), 365);
  const doy = doe - (365 * yoe + div(yoe, 4) - div(yoe, 100));
  const mp = div(5 * doy + 2, 153);
  const m = ((mp + 2) % 12) + 1;
  return [yoe + era * 400 + (m <= 2 ? 1 : 0), m, doy - div(153 * mp + 2, 5) + 1];
}

function daysInMonth(y: number, m: number): number {
  if (m === 2) return y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0) ? 29 : 28;
  return m === 4 || m === 6 || m === 9 || m === 11 ? 30 : 31;
}

const dateShape = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const momentShape =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/;

export function parseDate(s: string): number | null {
  const parts = dateShape.exec(s);
  if (!parts) return null;
  const y = Number(parts[1]);
  const m = Number(parts[2]);
  const d = Number(parts[3]);
  if (y < 1 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m)) return null;
  return daysFromCivil(y, m, d);
}

export function parseMoment(s: string): Moment | null {
  if (s.length === 10) {
    const day = parseDate(s);
    return day === null ? null : { day, timed: false, seconds: 0, nanos: 0 };
  }
  const parts = momentShape.exec(s);
  if (!parts) return null;
  const day = parseDate(parts[1] ?? "");
  const [hh, mm, ss] = [Number(parts[2]), Number(parts[3]), Number(parts[4])];
  if (day === null || hh > 23 || mm > 59 || ss > 59) return null;
  let offset = 0;
  if (parts[6]) {
    const [oh, om] = [Number(parts[7]), Number(parts[8])];
    if (oh > 23 || om > 59) return null;
    offset = (oh * 3600 + om * 60) * (parts[6] === "-" ? -1 : 1);
  }
  const nanos = Number((parts[5] ?? "").padEnd(9, "0"));
  return { day, timed: true, seconds: day * 86400 + hh * 3600 + mm * 60 + ss - offset, nanos };
}

const order = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);

/** The order of two texts that are both dates or date-times, else null. */
export function compareDates(a: string, b: string): number | null {
  if (a[4] !== "-" || b[4] !== "-") return null;
  const x = parseMoment(a);
  const y = parseMoment(b);
  if (!x || !y) return null;
  if (x.timed && y.timed) return order(x.seconds, y.seconds) || order(x.nanos, y.nanos);
  return order(x.day, y.day);
}

export function formatDay(day: number): Value {
  const [y, m, d] = civilFromDays(day);
  if (y < 1 || y > 9999) return null;
  return `${String(y).padStart(4, "0")}-${String(m).padStart(2, "0")}-${String(d).padStart(2, "0")}`;
}

/** Whole years; null when the span is negative. Born on 29 February: 1 March. */
export function yearsBetween(from: number, to: number): number | null {
  if (to < from) return null;
  const [y1, m1, d1] = civilFromDays(from);
  const [y2, m2, d2] = civilFromDays(to);
  return y2 - y1 - (m2 < m1 || (m2 === m1 && d2 < d1) ? 1 : 0);
}

/** Whole months, downwards also into the past. */
export function monthsBetween(from: number, to: number): number {
  const [y1, m1, d1] = civilFromDays(from);
  const [y2, m2, d2] = civilFromDays(to);
  return (y2 - y1) * 12 + m2 - m1 - (d2 < d1 ? 1 : 0);
}

/** A device's moment as the engine wants it: RFC 3339, whole seconds, local offset. */
export function nowText(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + minutes * 60000).toISOString().slice(0, 19);
  if (minutes === 0) return local + "Z";
  const size = Math.abs(minutes);
  const two = (n: number): string => String(n).padStart(2, "0");
  return `${local}${minutes < 0 ? "-" : "+"}${two(div(size, 60))}:${two(size % 60)}`;
}
