// From answers to a result: the browser's half of internal/screening, so that a
// worker sees the result while filling in, also without a network. The server
// computes it again and has the last word. testdata/vectors.json and random
// answers hold the two together.

export type Weight = 'strong' | 'medium' | 'weak';
export interface Profile { id: string; for?: string; scored: boolean; status?: string }
export interface Threshold { strong?: number; medium?: number; weak?: number; medium_or_weak?: number }
export interface Class { id: string; label: string; advice: string; status?: string }
export interface Rule {
  id: string; for?: string; scored: boolean; act?: boolean; any_yes?: boolean; needs?: string[][] | null;
  class: string; text: string; source: string; status?: string;
}
export interface Indicator { code: string; adult?: Weight; child?: Weight }
export interface Dimension { id: string; name: string; is: string; indicators: Indicator[] }

/** An instrument in the reader's language, as GET /api/instruments/{id} gives it. */
export interface Instrument {
  id: string; lang: string; title: string; status?: string; source: string; note?: string; indicators: string;
  profiles: Profile[]; positive: Threshold[]; unknown: { more_than_percent: number; from: string[]; to: string };
  classes: Class[]; rules: Rule[]; dimensions: Dimension[];
}

export interface Input {
  profile: string;
  /** The answer to "certainly 18 or older?"; undefined when it was not asked. */
  adult_certain?: boolean | undefined;
  answers: Record<string, unknown>;
  act: string[];
  observed_only?: boolean | undefined;
  disputed?: string[] | undefined;
}

export interface Sign { code: string; weight: Weight }
export interface DimensionResult { id: string; positive: boolean; strong: number; medium: number; weak: number; signs?: Sign[] }
export interface Asked { of: number; yes: number; no: number; unknown: number; refused: number; not_asked: number; open_percent: number }
export type Note = 'profile_unknown' | 'age_in_doubt' | 'act_unknown' | 'much_unknown' | 'observed_only' | 'disputed' | 'outside_profile';

/** The outcome with its reasons, as codes. */
export interface Result {
  instrument: string; status?: string; profile: string; child: boolean; class: string; rule: string; scored: boolean;
  act?: string[]; dimensions?: DimensionResult[]; asked?: Asked; notes?: Note[]; disputed?: string[]; outside?: string[];
}

export function evaluate(instrument: Instrument, q: Input): Result {
  const profile = instrument.profiles.find((p) => p.id === q.profile);
  const { child, doubt } = childOf(profile, q.adult_certain);
  const r: Result = { instrument: instrument.id, profile: q.profile, child, class: '', rule: '', scored: profile?.scored ?? true };
  if (instrument.status) r.status = instrument.status;
  if (q.disputed?.length) r.disputed = q.disputed;
  if (q.act.length) r.act = q.act;
  if (r.scored) score(instrument, r, q.answers);
  classify(instrument, r);
  const open = (r.asked?.open_percent ?? 0) > instrument.unknown.more_than_percent;
  const notes: [boolean, Note][] = [
    [!profile, 'profile_unknown'], [doubt, 'age_in_doubt'], [child && !r.act, 'act_unknown'], [open, 'much_unknown'],
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
  const asked: Asked = { of: 0, yes: 0, no: 0, unknown: 0, refused: 0, not_asked: 0, open_percent: 0 };
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
      asked.of++;
      asked[answer === 'yes' || answer === 'no' || answer === 'unknown' || answer === 'refused' ? answer : 'not_asked']++;
      if (answer !== 'yes') continue;
      signs.push({ code: i.code, weight });
      out[weight]++;
    }
    if (signs.length) out.signs = signs;
    out.positive = instrument.positive.some((t) => out.strong >= (t.strong ?? 0) && out.medium >= (t.medium ?? 0)
      && out.weak >= (t.weak ?? 0) && out.medium + out.weak >= (t.medium_or_weak ?? 0));
    return out;
  });
  if (asked.of > 0) asked.open_percent = Math.ceil((100 * (asked.unknown + asked.refused + asked.not_asked)) / asked.of);
  r.asked = asked;
  if (outside.length) r.outside = outside;
}

function classify(instrument: Instrument, r: Result): void {
  const positive = new Set((r.dimensions ?? []).filter((d) => d.positive).map((d) => d.id));
  const anyYes = (r.asked?.yes ?? 0) > 0 || !!r.outside;
  const rule = instrument.rules.find((x) => !(x.for === 'adult' && r.child) && !(x.for === 'child' && !r.child) && x.scored === r.scored
    && !(x.act && !r.act) && !(x.any_yes && !anyYes) && (x.needs ?? []).every((line) => line.some((d) => positive.has(d))));
  if (rule) { r.class = rule.class; r.rule = rule.id; }
  const open = (r.asked?.open_percent ?? 0) > instrument.unknown.more_than_percent;
  if (open && instrument.unknown.from.includes(r.class)) r.class = instrument.unknown.to;
}
