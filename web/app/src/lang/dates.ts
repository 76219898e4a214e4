// Dates and clocks in the reader's words and calendar. "Now" is the server's
// time where we know it: phones' clocks are wrong often enough to matter.
import { signal } from '@preact/signals';
import { lang, t } from './index.ts';

const hour = 3_600_000;
const day = 24 * hour;

const offset = signal(0);
const tick = signal(0);

/** Takes the server's own time, to count deadlines by. */
export function setServerNow(iso: string): void {
  const at = Date.parse(iso);
  if (!Number.isNaN(at)) offset.value = at - Date.now();
}

export function now(): Date {
  void tick.value;
  return new Date(Date.now() + offset.value);
}

/** Lets everything that shows a clock be drawn again; called once a minute. */
export function beat(): void {
  tick.value++;
}

/** Names of days (from Sunday) and months, after CLDR, for languages that many browsers leave out. */
const names: Record<string, { days: string[]; months: string[] }> = {
  km: {
    days: ['អាទិត្យ', 'ចន្ទ', 'អង្គារ', 'ពុធ', 'ព្រហស្បតិ៍', 'សុក្រ', 'សៅរ៍'],
    months: ['មករា', 'កុម្ភៈ', 'មីនា', 'មេសា', 'ឧសភា', 'មិថុនា', 'កក្កដា', 'សីហា', 'កញ្ញា', 'តុលា', 'វិច្ឆិកា', 'ធ្នូ'],
  },
};

/** The reader's own dates; where neither the browser nor we know them, day before month. */
function calendarOf(id: string): string {
  return id !== 'en' && Intl.DateTimeFormat.supportedLocalesOf(id).length > 0 ? id : 'en-GB';
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(date: Date, options: Intl.DateTimeFormatOptions): string {
  const calendar = calendarOf(lang.value);
  const own = names[lang.value];
  if (own && calendar !== lang.value) return inOwnNames(date, options, own);
  const id = lang.value + JSON.stringify(options);
  let f = formats.get(id);
  if (!f) formats.set(id, (f = new Intl.DateTimeFormat(calendar, options)));
  return f.format(date);
}

/** Weekday, day, month, year and time, each if it is asked for. */
function inOwnNames(date: Date, o: Intl.DateTimeFormatOptions, own: { days: string[]; months: string[] }): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = [o.weekday && own.days[date.getDay()], o.day && String(date.getDate()), o.month && own.months[date.getMonth()], o.year && String(date.getFullYear())];
  const time = o.hour && `${two(date.getHours())}:${two(date.getMinutes())}`;
  return [day.filter(Boolean).join(' '), time].filter(Boolean).join(', ');
}

/** "Fri 20 Nov", with the year when it is not this one. */
export function dayOf(iso: string | undefined): string {
  if (!iso) return '';
  const date = parse(iso);
  if (!date) return iso;
  const sameYear = date.getFullYear() === now().getFullYear();
  return format(date, { weekday: 'short', day: 'numeric', month: 'short', ...(sameYear ? {} : { year: 'numeric' }) });
}

/** "20 November 2026": for records and paper. */
export function dateOf(iso: string | undefined): string {
  const date = iso ? parse(iso) : undefined;
  return date ? format(date, { day: 'numeric', month: 'long', year: 'numeric' }) : iso ?? '';
}

export function longToday(): string {
  return format(now(), { weekday: 'long', day: 'numeric', month: 'long' });
}

export function timeOf(iso: string): string {
  const date = parse(iso);
  return date ? format(date, { hour: '2-digit', minute: '2-digit', hour12: false }) : '';
}

/** "Today 07:40", "Fri 20 Nov". */
export function when(iso: string | undefined): string {
  const date = iso ? parse(iso) : undefined;
  if (!iso || !date) return iso ?? '';
  if (sameDay(date, now())) return `${t('date.today')} ${timeOf(iso)}`;
  return dayOf(iso);
}

/** "Sat 21 Nov, 08:39": for what is near. */
export function dayTime(iso: string | undefined): string {
  return iso && parse(iso) ? `${dayOf(iso)}, ${timeOf(iso)}` : iso ?? '';
}

/** Day and time of a moment: "20 Nov 2026, 09:10". */
export function moment(iso: string | undefined): string {
  const date = iso ? parse(iso) : undefined;
  if (!date) return iso ?? '';
  return format(date, { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false });
}

export interface ClockText { text: string; state: 'late' | 'soon' | '' }

/** What a deadline says: how late, or when. */
export function clock(due: string | undefined): ClockText {
  const date = due ? parse(due) : undefined;
  if (!due || !date) return { text: '', state: '' };
  const left = date.getTime() - now().getTime();
  if (left < 0) return { text: t('clock.late', { time: span(-left) }), state: 'late' };
  if (sameDay(date, now())) return { text: timeOf(due), state: 'soon' };
  if (left < day) return { text: `${t('date.tomorrow')} ${timeOf(due)}`, state: 'soon' };
  return { text: dayOf(due), state: '' };
}

function span(ms: number): string {
  if (ms < hour) return t('span.minutes', { n: Math.max(1, Math.floor(ms / 60_000)) });
  if (ms < 2 * day) return t('span.hours', { n: Math.floor(ms / hour) });
  return t('span.days', { n: Math.floor(ms / day) });
}

/** A text of the server with its machine dates said as people say them. */
export function readable(text: string): string {
  return text
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\b/g, (iso) => moment(iso))
    .replace(/\b\d{4}-\d\d-\d\d\b/g, (iso) => dateOf(iso));
}

/** A plain date is a day where the reader is, not midnight in Greenwich. */
function parse(iso: string): Date | undefined {
  const plain = /^(\d{4})-(\d{2})-(\d{2})$/.exec(iso);
  const date = plain ? new Date(Number(plain[1]), Number(plain[2]) - 1, Number(plain[3])) : new Date(iso);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function sameDay(a: Date, b: Date): boolean {
  return a.getFullYear() === b.getFullYear() && a.getMonth() === b.getMonth() && a.getDate() === b.getDate();
}

/** Today as an answer: "2026-11-22", where the writer is. */
export function todayIso(): string {
  const d = now();
  return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;
}
