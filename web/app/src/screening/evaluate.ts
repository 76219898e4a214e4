// From answers to a result: the browser's half of internal/screening, so that a
// worker sees the result while filling in, also without a network. The server
// computes it again and has the last word. testdata/vectors.json and random
// answers hold the two together.

export type Weight = 'strong' | 'medium' | 'weak';
export interface Profile { id: string; for?: string; scored: boolean; status?: string }
export interface Threshold { strong?: number; medium?: number; weak?: number; medium_or_weak?: number }
export interface Class { id: string; label: string; advice: string; status?: string }
export interface Rule {
  id: string; for?: string; scored: boolean; act?: boolean; any_yes?: boolean; brief?: boolean; needs?: string[][] | null;
  class: string; text: string; source: string; status?: string;
}
export interface Indicator { code: string; adult?: Weight; child?: Weight }
export interface Dimension { id: string; name: string; is: string; indicators: Indicator[] }

/** An instrument in the reader's language, as GET /api/instruments/{id} gives it. */
export interface Instrument {
  id: string; lang: string; title: string; status?: string; source: string; note?: string; indicators: string;
  profiles: Profile[]; positive: Threshold[]; unknown: { more_than_percent: number; from: string[]; to: string };
  brief: { list: string; questions?: string[] | null; reversed?: string[] | null; status?: string };
  classes: Class[]; rules: Rule[]; dimensions: Dimension[];
}

export interface Input {
  profile: string;
  /** The answer to "certainly 18 or older?"; undefined when it was not asked. */
  adult_certain?: boolean | undefined;
  answers: Record<string, unknown>;
  brief?: Record<string, unknown> | undefined;
  act: string[];
  observed_only?: boolean | undefined;
  disputed?: string[] | undefined;
}

export interface Sign { code: string; weight: Weight }
export interface DimensionResult { id: string; positive: boolean; strong: number; medium: number; weak: number; signs?: Sign[] }
export interface Asked { of: number; yes: number; no: number; unknown: number; refused: number; not_asked: number; open_percent: number }
/** Stage 1; in its counts, yes are the signs. */
export interface BriefResult { signs?: string[]; asked: Asked }
export type Note = 'profile_unknown' | 'age_in_doubt' | 'act_unknown' | 'much_unknown' | 'brief_only' | 'observed_only' | 'disputed' | 'outside_profile';

/** The outcome with its reasons, as codes. */
export interface Result {
  instrument: string; status?: string; profile: string; child: boolean; class: string; rule: string; scored: boolean;
  act?: string[]; dimensions?: DimensionResult[]; asked?: Asked; brief?: BriefResult; notes?: Note[]; disputed?: string[]; outside?: string[];
}

export function evaluate(instrument: Instrument, q: Input): Result {
  const profile = instrument.profiles.find((p) => p.id === q.profile);
  const { child, doubt } = childOf(profile, q.adult_certain);
  const r: Result = { instrument: instrument.id, profile: q.profile, child, class: '', rule: '', scored: profile?.scored ?? true };
  if (instrument.status) r.status = instrument.status;
  if (q.disputed?.length) r.disputed = q.disputed;
  if (q.act.length) r.act = q.act;
  if (r.scored) score(instrument, r, q.answers);
  brief(instrument, r, q.brief ?? {});
  classify(instrument, r);
  const notes: [boolean, Note][] = [
    [!profile, 'profile_unknown'], [doubt, 'age_in_doubt'], [child && !r.act, 'act_unknown'], [muchOpen(instrument, r), 'much_unknown'],
    [!!r.brief && notBegun(r), 'brief_only'],
    [q.observed_only === true, 'observed_only'], [!!r.disputed, 'disputed'], [!!r.outside, 'outside_profile'],
  ];
  const said = notes.filter(([when]) => when).map(([, code]) => code);
  if (said.length) r.notes = said;
  return r;
}

/** Where the age is in doubt, the rules for a child hold. */
function childOf(profile: Profile | undefined, certain: boolean | undefined): { child: boolean; doubt: boolean } {
  if (profile?.for === 'child') return { child: true, doubt: false };
  if (certain !== undefined) return { child: !certain, doubt: !certain };
  if (profile?.for === 'adult') return { child: false, doubt: false };
  return { child: true, doubt: true };
}

function score(instrument: Instrument, r: Result, answers: Record<string, unknown>): void {
  const asked = nothing();
  const outside: string[] = [];
  r.dimensions = instrument.dimensions.map((d) => {
    const out: DimensionResult = { id: d.id, positive: false, strong: 0, medium: 0, weak: 0 };
    const signs: Sign[] = [];
    for (const i of d.indicators) {
      const answer = answers[i.code];
      const weight = r.child ? i.child : i.adult;
      if (!weight) {
        if (answer === 'yes') outside.push(i.code);
        continue;
      }
      count(asked, answer);
      if (answer !== 'yes') continue;
      signs.push({ code: i.code, weight });
      out[weight]++;
    }
    if (signs.length) out.signs = signs;
    out.positive = instrument.positive.some((t) => out.strong >= (t.strong ?? 0) && out.medium >= (t.medium ?? 0)
      && out.weak >= (t.weak ?? 0) && out.medium + out.weak >= (t.medium_or_weak ?? 0));
    return out;
  });
  r.asked = share(asked);
  if (outside.length) r.outside = outside;
}

const nothing = (): Asked => ({ of: 0, yes: 0, no: 0, unknown: 0, refused: 0, not_asked: 0, open_percent: 0 });

function count(asked: Asked, answer: unknown): void {
  asked.of++;
  asked[answer === 'yes' || answer === 'no' || answer === 'unknown' || answer === 'refused' ? answer : 'not_asked']++;
}

function share(asked: Asked): Asked {
  if (asked.of > 0) asked.open_percent = Math.ceil((100 * (asked.unknown + asked.refused + asked.not_asked)) / asked.of);
  return asked;
}

/** Stage 1, if anything of it was answered. */
function brief(instrument: Instrument, r: Result, answers: Record<string, unknown>): void {
  const asked = nothing();
  const signs: string[] = [];
  for (const code of instrument.brief.questions ?? []) {
    const answer = answers[code];
    const sign = answer === (instrument.brief.reversed?.includes(code) ? 'no' : 'yes');
    if (sign) signs.push(code);
    count(asked, sign ? 'yes' : answer === 'yes' ? 'no' : answer);
  }
  if (asked.not_asked === asked.of) return;
  r.brief = { ...(signs.length ? { signs } : {}), asked: share(asked) };
}

/** Stage 2 was to be asked, and nothing of it was. */
const notBegun = (r: Result): boolean => !!r.asked && r.asked.not_asked === r.asked.of;

/** Too little is known to rule anything out: by stage 2, or by stage 1 where there is no more. */
function muchOpen(instrument: Instrument, r: Result): boolean {
  if (!r.asked) return false;
  const by = r.brief && notBegun(r) ? r.brief.asked : r.asked;
  return by.open_percent > instrument.unknown.more_than_percent;
}

function classify(instrument: Instrument, r: Result): void {
  const positive = new Set((r.dimensions ?? []).filter((d) => d.positive).map((d) => d.id));
  const anyYes = (r.asked?.yes ?? 0) > 0 || !!r.outside;
  const rule = instrument.rules.find((x) => !(x.for === 'adult' && r.child) && !(x.for === 'child' && !r.child) && x.scored === r.scored
    && !(x.act && !r.act) && !(x.any_yes && !anyYes) && !(x.brief && !r.brief?.signs) && (x.needs ?? []).every((line) => line.some((d) => positive.has(d))));
  if (rule) { r.class = rule.class; r.rule = rule.id; }
  if (muchOpen(instrument, r) && instrument.unknown.from.includes(r.class)) r.class = instrument.unknown.to;
}
