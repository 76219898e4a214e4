// One question of a form, for every type of the content schema. A question is
// drawn again only when its own answer, fault or choices change.
import { Component, Fragment } from 'preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { url } from '../api/client.ts';
import type { CasePage, CaseSummary, FormListing, Organisation, Page, Person, Place } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { dayOf, todayIso } from '../lang/dates.ts';
import { readThrough, useRead } from '../local/reads.ts';
import { uuid } from '../local/uuid.ts';
import { say, scriptLang } from '../ui/index.tsx';
import { AddFile, HeldMark, sizeOf } from '../ui/files.tsx';
import { forgetFile, type Stored } from '../local/files.ts';
import { dimensionOf, isResult } from '../screening/answers.ts';
import { LiveResult } from '../screening/result.tsx';
import { codesOf, type Code, type Field, type Form } from './model.ts';
import { consentsOf } from './sheet.tsx';
import { answerText, isId } from './text.ts';

/** What all questions of an open form share. */
export interface Desk {
  form: Form;
  caseId: string;
  set: (path: string, value: unknown) => void;
  /** Whether the question applies, given the other answers. */
  applies: (path: string) => boolean;
  needed: (path: string, field: Field) => boolean;
  wrong: (path: string) => string | undefined;
  choices: (path: string, field: Field) => Code[];
  known: (path: string) => Known | undefined;
  /** A screening by the rules for a child. */
  child?: boolean | undefined;
  /** Changes whenever any of the above may answer differently. */
  round: number;
}
export interface Known { title: string; at: string; author: string; confirmed: boolean; confirm: () => void }

interface Props { field: Field; path: string; value: unknown; desk: Desk }
type Attrs = Record<string, unknown>;
type Input = Props & { id: string; aria: Attrs };

const id = (path: string): string => `f-${path}`;

/** All questions of a form or of one row. */
export function Fields({ fields, prefix, values, desk }: { fields: Field[]; prefix: string; values: Record<string, unknown> | undefined; desk: Desk }) {
  return <>{fields.map((f) => {
    const path = prefix ? `${prefix}.${f.name}` : f.name;
    if (isResult(f)) return desk.applies(path) && <LiveResult key={f.name} form={desk.form} field={f} answers={values ?? {}} />;
    if (f.type === 'auto' || f.name === desk.form.approval_field || !desk.applies(path)) return null;
    return <Question key={f.name} field={f} path={path} value={values?.[f.name]} desk={desk} />;
  })}</>;
}

function Question(p: Props) {
  const { field, path, value, desk } = p;
  switch (field.type) {
    case 'note': return <p class="note-text">{field.label}</p>;
    case 'preview': return null;
    case 'group': return (
      <fieldset class="group" id={id(path)}><legend>{field.label}</legend>
        {field.hint && <span class="hint">{field.hint}</span>}
        <Fields fields={field.fields ?? []} prefix={path} values={value as Record<string, unknown>} desk={desk} />
      </fieldset>
    );
    case 'repeat': return <Rows {...p} />;
    case 'matrix': return <Matrix {...p} />;
    default: return (
      <Still {...p} wrong={desk.wrong(path)} needed={desk.needed(path, field)} known={desk.known(path)}
        confirmed={desk.known(path)?.confirmed} choices={field.list ? desk.choices(path, field) : none} />
    );
  }
}
const none: Code[] = [];

type StillProps = Props & { wrong: string | undefined; needed: boolean; known: Known | undefined; confirmed: boolean | undefined; choices: Code[] };

/** A single question; stands still while others change. */
class Still extends Component<StillProps> {
  override shouldComponentUpdate(next: StillProps): boolean {
    const now = this.props;
    return next.value !== now.value || next.wrong !== now.wrong || next.needed !== now.needed || next.confirmed !== now.confirmed
      || next.field !== now.field || next.path !== now.path
      || (next.choices !== now.choices && next.choices.map((c) => c.code).join() !== now.choices.map((c) => c.code).join());
  }
  override render() {
    const { field, path, wrong, needed, known, choices } = this.props;
    const me = id(path);
    const described = [field.hint && `${me}-hint`, wrong && `${me}-wrong`, known && `${me}-known`].filter(Boolean).join(' ');
    const aria = { 'aria-describedby': described || undefined, 'aria-invalid': wrong ? true : undefined, 'aria-required': needed || undefined } as Attrs;
    const many = isSet(field, choices);
    const head = <>{field.label}<Tier field={field} />{!needed && field.type !== 'calculate' && <span class="optional">{t('optional')}</span>}</>;
    const under = (
      <>
        {field.hint && <span class="hint" id={`${me}-hint`}>{field.hint}</span>}
        {wrong && <span class="why-wrong" id={`${me}-wrong`}>{wrong}</span>}
      </>
    );
    const body = <Body {...this.props} id={me} aria={aria} />;
    const from = known && (
      <div class="known" id={`${me}-known`}>
        <span>{[t('known.from', { title: known.title }), dayOf(known.at), known.author].filter(Boolean).join(', ')}</span>
        {known.confirmed ? <span class="tag low">{t('known.right')}</span> : <button type="button" class="btn" onClick={known.confirm}>{t('known.confirm')}</button>}
      </div>
    );
    return many
      ? <fieldset class={`field ${wrong ? 'wrong' : ''}`} id={me} tabIndex={-1} {...(described ? { 'aria-describedby': described } : {})}><legend>{head}</legend>{under}{body}{from}</fieldset>
      : <div class={`field ${wrong ? 'wrong' : ''}`}><label for={me}>{head}</label>{under}{body}{from}</div>;
  }
}

function Tier({ field }: { field: Field }) {
  if (!field.tier || field.tier === 'coded') return null;
  return <span class="tier" title={t('tier.hint')}>{t(`tier.${field.tier as 'story'}`)}</span>;
}

/** Several inputs under one question: a set with a legend, not one label. */
function isSet(f: Field, choices: Code[]): boolean {
  if (['boolean', 'age', 'location', 'money', 'range', 'daterange', 'list', 'files', 'acknowledge'].includes(f.type)) return true;
  if (f.type === 'select_one') return choices.length <= shortList;
  return f.type === 'select_multiple' || (f.type.startsWith('ref_') && !!f.multiple);
}
const shortList = 7;
const tickList = 30;

function Body(p: Input & { choices: Code[] }) {
  const { field, path, value, desk, id: me, aria } = p;
  const set = (v: unknown) => desk.set(path, v);
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  switch (field.type) {
    case 'text': return <input {...aria} id={me} type="text" value={text} lang={scriptLang(text)} autocomplete="off" maxLength={field.max_length} onInput={(e) => set(e.currentTarget.value)} />;
    case 'longtext': return <textarea {...aria} id={me} value={text} lang={scriptLang(text)} maxLength={field.max_length} onInput={(e) => set(e.currentTarget.value)} />;
    case 'integer': case 'decimal': return <Numeric {...p} whole={field.type === 'integer'} />;
    case 'date': return <input {...aria} id={me} type="date" value={text} max="9999-12-31" onInput={(e) => set(e.currentTarget.value)} />;
    case 'datetime': return <input {...aria} id={me} type="datetime-local" value={localTime(text)} onInput={(e) => set(instant(e.currentTarget.value))} />;
    case 'daterange': case 'range': return <FromTo {...p} />;
    case 'boolean': return <Picks name={me} value={value === undefined ? undefined : String(value)} set={(v) => set(v === undefined ? undefined : v === 'true')} choices={[{ code: 'true', label: t('yes') }, { code: 'false', label: t('no') }]} short />;
    case 'acknowledge': return <div class="picks"><label class="pick"><input type="checkbox" checked={value === true} onChange={(e) => set(e.currentTarget.checked || undefined)} />{t('acknowledged')}</label></div>;
    case 'select_one': return p.choices.length <= shortList
      ? <Picks name={me} value={value as string} set={set} choices={p.choices} />
      : <Select {...p} choices={p.choices} />;
    case 'select_multiple': return <Ticks {...p} />;
    case 'list': return <Lines {...p} />;
    case 'age': return <AgeParts {...p} />;
    case 'location': return <LocationParts {...p} />;
    case 'money': return <Money {...p} />;
    case 'files': return <Files {...p} />;
    case 'calculate': return <output class="computed" id={me}>{answerText(desk.form, field, value) || <span class="faint">{t('computed.later')}</span>}</output>;
    default: return field.type.startsWith('ref_') ? <Reference {...p} /> : <input {...aria} id={me} type="text" value={text} onInput={(e) => set(e.currentTarget.value)} />;
  }
}

function Numeric({ id: me, aria, path, value, desk, whole }: Input & { whole: boolean }) {
  const shown = value === undefined || value === null ? '' : String(value);
  const [typed, setTyped] = useState(shown);
  const parsed = (s: string): unknown => {
    const n = Number(s.trim().replace(',', '.'));
    return s.trim() === '' ? undefined : Number.isNaN(n) ? s : n; // what is no number stays, and is said to be none
  };
  useEffect(() => { if (parsed(typed) !== value) setTyped(shown); }, [value]);
  return <input {...aria} id={me} type="text" inputMode={whole ? 'numeric' : 'decimal'} value={typed} autocomplete="off" onInput={(e) => { setTyped(e.currentTarget.value); desk.set(path, parsed(e.currentTarget.value)); }} />;
}

function FromTo({ field, path, value, desk, id: me }: Input) {
  const v = (value ?? {}) as { from?: string | number; to?: string | number };
  const dates = field.type === 'daterange';
  const part = (name: 'from' | 'to') => (
    <label><span class="cap">{t(name === 'from' ? 'from' : 'to')}</span>
      {dates
        ? <input id={`${me}.${name}`} type="date" value={v[name] ?? ''} onInput={(e) => desk.set(`${path}.${name}`, e.currentTarget.value)} />
        : <input id={`${me}.${name}`} type="text" inputMode="decimal" value={v[name] ?? ''} onInput={(e) => { const n = Number(e.currentTarget.value); desk.set(`${path}.${name}`, e.currentTarget.value === '' ? undefined : Number.isNaN(n) ? e.currentTarget.value : n); }} />}
    </label>
  );
  return <div class="inline-fields">{part('from')}{part('to')}</div>;
}

function Picks({ name, value, set, choices, short }: { name: string; value: string | undefined; set: (v: string | undefined) => void; choices: Code[]; short?: boolean }) {
  return (
    <div class={`picks ${short ? 'short' : choices.length > 4 ? 'wide' : ''}`}>
      {choices.map((c) => (
        <label class="pick" key={c.code}>
          <input type="radio" name={name} value={c.code} checked={value === c.code} onChange={() => set(c.code)} />{c.label}
        </label>
      ))}
      {value !== undefined && <button type="button" class="link tall" onClick={() => set(undefined)}>{t('clear')}</button>}
    </div>
  );
}

function Select({ id: me, aria, path, value, desk, choices }: Input & { choices: Code[] }) {
  return (
    <select {...aria} id={me} value={(value as string) ?? ''} onChange={(e) => desk.set(path, e.currentTarget.value)}>
      <option value="">{t('choose')}</option>
      {choices.map((c) => <option value={c.code} key={c.code}>{c.label}</option>)}
    </select>
  );
}

function Ticks({ id: me, path, value, desk, choices }: Input & { choices: Code[] }) {
  const chosen = (value as string[] | undefined) ?? [];
  // In the order of the list, whatever the order of the clicks.
  const set = (codes: string[]) => desk.set(path, choices.filter((c) => codes.includes(c.code)).map((c) => c.code));
  if (choices.length <= tickList) {
    return (
      <div class={`picks ${choices.length > 4 ? 'wide' : ''}`}>
        {choices.map((c) => (
          <label class="pick" key={c.code}>
            <input type="checkbox" checked={chosen.includes(c.code)} onChange={(e) => set(e.currentTarget.checked ? [...chosen, c.code] : chosen.filter((x) => x !== c.code))} />{c.label}
          </label>
        ))}
      </div>
    );
  }
  return (
    <>
      {chosen.length > 0 && <ul class="wrap plain">{chosen.map((code) => {
        const label = choices.find((c) => c.code === code)?.label ?? code;
        return <li key={code}><button type="button" class="btn" onClick={() => set(chosen.filter((x) => x !== code))}>{label} <span aria-hidden="true">✕</span><span class="visually-hidden">{t('remove')}</span></button></li>;
      })}</ul>}
      <select id={`${me}-add`} aria-label={t('add.to.list')} value="" onChange={(e) => { if (e.currentTarget.value) set([...chosen, e.currentTarget.value]); e.currentTarget.value = ''; }}>
        <option value="">{t('add.to.list')}</option>
        {choices.filter((c) => !chosen.includes(c.code)).map((c) => <option value={c.code} key={c.code}>{c.label}</option>)}
      </select>
    </>
  );
}

function Lines({ id: me, field, path, value, desk }: Input) {
  const lines = (value as string[] | undefined) ?? [];
  const [extra, setExtra] = useState(lines.length === 0);
  const shown = extra ? [...lines, ''] : lines;
  const set = (list: string[]) => desk.set(path, list.filter((x) => x !== ''));
  return (
    <div class="stack-s">
      {shown.map((line, i) => (
        <div class="find" key={i}>
          <input id={`${me}[${i}]`} type="text" aria-label={`${field.label} ${i + 1}`} value={line} lang={scriptLang(line)} autocomplete="off" onInput={(e) => {
            const next = [...shown];
            next[i] = e.currentTarget.value;
            if (i === lines.length && e.currentTarget.value !== '') setExtra(false);
            set(next);
          }} />
          {line !== '' && <button type="button" class="btn" onClick={() => set(lines.filter((_, j) => j !== i))} aria-label={`${t('remove')} ${i + 1}`}>✕</button>}
        </div>
      ))}
      {!extra && <button type="button" class="btn quiet" onClick={() => { setExtra(true); requestAnimationFrame(() => document.getElementById(`${me}[${lines.length}]`)?.focus()); }}>{t('add.line')}</button>}
    </div>
  );
}

function AgeParts({ id: me, field, path, value, desk }: Input) {
  const v = (value ?? {}) as { years?: number; months?: number; dob?: string; observed_on?: string; basis?: string };
  // An age is only true on the day it was seen: the day comes along by itself.
  const set = (part: string, x: unknown) => {
    const next: Record<string, unknown> = { ...v, [part]: x };
    if (x === undefined || x === '') delete next[part];
    const said = next.years !== undefined || next.months !== undefined || next.dob !== undefined;
    if (said && next.observed_on === undefined && part !== 'observed_on') next.observed_on = todayIso();
    if (!said && part !== 'observed_on' && part !== 'basis') delete next.observed_on;
    desk.set(path, Object.keys(next).length ? next : undefined);
  };
  const num = (s: string): unknown => (s === '' ? undefined : Number.isNaN(Number(s)) ? s : Number(s));
  const basis = codesOf(desk.form, 'age_basis');
  // A form that asks for the basis as a question of its own does not ask for it twice.
  const own = desk.form.fields.some((f) => f.name.includes('basis') && f.list === 'age_basis');
  return (
    <div class="inline-fields" aria-label={field.label}>
      <label><span class="cap">{t('age.years.cap')}</span><input id={`${me}.years`} type="text" inputMode="numeric" value={v.years ?? ''} onInput={(e) => set('years', num(e.currentTarget.value))} /></label>
      <label><span class="cap">{t('age.months.cap')}</span><input id={`${me}.months`} type="text" inputMode="numeric" value={v.months ?? ''} onInput={(e) => set('months', num(e.currentTarget.value))} /></label>
      <label><span class="cap">{t('age.observed.cap')}</span><input id={`${me}.observed_on`} type="date" value={v.observed_on ?? ''} onInput={(e) => set('observed_on', e.currentTarget.value)} /></label>
      {!own && basis.length > 0 && <label class="grow"><span class="cap">{t('age.basis.cap')}</span><select id={`${me}.basis`} value={v.basis ?? ''} onChange={(e) => set('basis', e.currentTarget.value)}><option value="">{t('choose')}</option>{basis.map((c) => <option value={c.code} key={c.code}>{c.label}</option>)}</select></label>}
    </div>
  );
}

function LocationParts({ id: me, path, value, desk }: Input) {
  const v = (value ?? {}) as { country?: string; adm1?: string; adm2?: string; place?: string };
  const adm1 = useRead<Place[]>(v.country ? url`/api/places?country=${v.country}` : undefined);
  const adm2 = useRead<Place[]>(v.country && v.adm1 ? url`/api/places?country=${v.country}&parent=${v.adm1}` : undefined);
  const set = (part: string, x: string, clear: string[] = []) => {
    const next: Record<string, unknown> = { ...v, [part]: x };
    for (const k of [...clear, ...(x === '' ? [part] : [])]) delete next[k];
    desk.set(path, Object.keys(next).length ? next : undefined);
  };
  const level = (part: 'adm1' | 'adm2', cap: string, places: Place[] | undefined, clear: string[]) => {
    if (!v.country || (part === 'adm2' && !v.adm1)) return null;
    const list = Array.isArray(places) ? places : [];
    if (list.length === 0 && !v[part]) return null;
    return (
      <label class="grow"><span class="cap">{cap}</span>
        <select id={`${me}.${part}`} value={v[part] ?? ''} onChange={(e) => set(part, e.currentTarget.value, clear)}>
          <option value="">{t('choose')}</option>
          {v[part] && !list.some((x) => x.code === v[part]) && <option value={v[part]}>{v[part]}</option>}
          {list.map((x) => <option value={x.code} key={x.code}>{x.name}</option>)}
        </select>
      </label>
    );
  };
  return (
    <div class="inline-fields">
      <label class="grow"><span class="cap">{t('place.country')}</span>
        <select id={`${me}.country`} value={v.country ?? ''} onChange={(e) => set('country', e.currentTarget.value, ['adm1', 'adm2'])}>
          <option value="">{t('choose')}</option>{codesOf(desk.form, 'country').map((c) => <option value={c.code} key={c.code}>{c.label}</option>)}
        </select>
      </label>
      {level('adm1', t('place.adm1'), adm1.data, ['adm2'])}
      {level('adm2', t('place.adm2'), adm2.data, [])}
      {v.country && <label class="grow"><span class="cap">{t('place.place')}</span><input id={`${me}.place`} type="text" value={v.place ?? ''} lang={scriptLang(v.place ?? '')} autocomplete="off" onInput={(e) => set('place', e.currentTarget.value)} /></label>}
    </div>
  );
}

function Money({ id: me, path, value, desk }: Input) {
  const v = (value ?? {}) as { amount?: string; currency?: string };
  const set = (part: string, x: string) => {
    const next: Record<string, string> = { ...v, [part]: x };
    if (x === '') delete next[part];
    desk.set(path, Object.keys(next).length ? next : undefined);
  };
  return (
    <div class="inline-fields">
      <label><span class="cap">{t('money.amount')}</span><input id={`${me}.amount`} type="text" inputMode="decimal" value={v.amount ?? ''} autocomplete="off" onInput={(e) => set('amount', e.currentTarget.value.trim().replace(',', '.'))} /></label>
      <label class="grow"><span class="cap">{t('money.currency')}</span><select id={`${me}.currency`} value={v.currency ?? ''} onChange={(e) => set('currency', e.currentTarget.value)}><option value="">{t('choose')}</option>{codesOf(desk.form, 'currency').map((c) => <option value={c.code} key={c.code}>{c.label}</option>)}</select></label>
    </div>
  );
}


function Files({ id: me, field, path, value, desk }: Input) {
  const files = (value as Stored[] | undefined) ?? [];
  if (!desk.caseId) return <p class="soft">{t('files.after')}</p>;
  let list = files; // several chosen at once come one after the other
  const remove = (f: Stored) => {
    desk.set(path, files.filter((x) => x.id !== f.id));
    void forgetFile(f.id);
  };
  return (
    <div class="stack-s">
      {files.length > 0 && <ul class="list">{files.map((f) => (
        <li key={f.id} class="form-row"><span>{f.name} <span class="soft small num">{sizeOf(f.size)}</span> <HeldMark id={f.id} /></span><button type="button" class="btn" onClick={() => remove(f)}>{t('remove')}<span class="visually-hidden"> {f.name}</span></button></li>
      ))}</ul>}
      <AddFile id={`${me}-add`} label={field.label ?? ''} caseId={desk.caseId} added={(f) => { list = [...list, f]; desk.set(path, list); }} />
    </div>
  );
}

/** What a reference may point to, as choices. */
function useOptions(kind: string, caseId: string): Code[] {
  const people = useRead<Person[]>(kind === 'user' ? '/api/people' : undefined);
  const orgs = useRead<Organisation[]>(kind === 'org' ? '/api/organisations' : undefined);
  const forms = useRead<FormListing[]>(kind === 'form' ? '/api/forms' : undefined);
  const cases = useRead<Page<CaseSummary>>(kind === 'case' ? '/api/cases?scope=mine' : undefined);
  const [consents, setConsents] = useState<Code[]>([]);
  useEffect(() => {
    if (kind !== 'consent' || !caseId) return;
    // As kept on this device where there is no network; what was struck out is no consent.
    readThrough<CasePage>(url`/api/cases/${caseId}`).then(({ data }) => setConsents(consentsOf(data).filter((c) => !c.struck)), () => undefined);
  }, [kind, caseId]);
  const list = <T,>(x: T[] | { items: T[] } | undefined): T[] => (Array.isArray(x) ? x : x?.items ?? []);
  switch (kind) {
    case 'user': return list(people.data).map((p) => ({ code: p.id, label: p.name }));
    case 'org': return list(orgs.data).map((o) => ({ code: o.id, label: o.name }));
    case 'form': return list(forms.data).map((f) => ({ code: f.id, label: f.title }));
    case 'case': return list(cases.data).map((c) => ({ code: c.id, label: [c.code, c.name].filter(Boolean).join(' · ') }));
    case 'consent': return consents;
    default: return [];
  }
}

function Reference(p: Input) {
  const { field, path, value, desk } = p;
  const options = useOptions(field.type.slice(4), desk.caseId);
  if (field.multiple) return <Ticks {...p} choices={options} />;
  const all = value && !options.some((o) => o.code === value) ? [...options, { code: value as string, label: isId(String(value)) ? t('ref.gone') : String(value) }] : options;
  return <Select {...p} path={path} choices={all} />;
}

/** Rows of a repeat: added at the end, taken away with undo. */
function Rows({ field, path, value, desk }: Props) {
  const rows = (value as Record<string, unknown>[] | undefined) ?? [];
  const wrong = desk.wrong(path);
  const needed = desk.needed(path, field);
  const full = field.max_rows !== undefined && rows.length >= field.max_rows;
  return (
    <fieldset class={`field ${wrong ? 'wrong' : ''}`} id={id(path)} tabIndex={-1}>
      <legend>{field.label}<Tier field={field} />{!needed && <span class="optional">{t('optional')}</span>}</legend>
      {field.hint && <span class="hint">{field.hint}</span>}
      {wrong && <span class="why-wrong">{wrong}</span>}
      {rows.map((row, i) => (
        <section class="row-card" key={(row?._id as string) ?? i} aria-label={`${field.label} ${i + 1}`} id={id(`${path}[${i}]`)} tabIndex={-1}>
          <header><b class="num">{i + 1}</b><button type="button" class="btn quiet" onClick={() => {
            desk.set(path, rows.filter((_, j) => j !== i));
            say(t('row.removed'), () => desk.set(path, rows));
          }}>{t('remove')}<span class="visually-hidden"> {i + 1}</span></button></header>
          <Fields fields={field.fields ?? []} prefix={`${path}[${i}]`} values={row} desk={desk} />
        </section>
      ))}
      <p><button type="button" class="btn" disabled={full} onClick={() => {
        desk.set(path, [...rows, { _id: uuid() }]);
        requestAnimationFrame(() => document.getElementById(id(`${path}[${rows.length}]`))?.querySelector<HTMLElement>('input, select, textarea')?.focus());
      }}>{rows.length === 0 ? t('row.add') : t('row.add.another')}</button></p>
    </fieldset>
  );
}

/** The rows of a screening are the indicators of its profile, under the names of their dimensions. */
const partOf = (desk: Desk, field: Field, code: string | undefined) => {
  const instrument = field.rows === desk.form.instrument?.indicators ? desk.form.instrument : undefined;
  return code === undefined ? undefined : instrument?.dimensions.find((d) => d.indicators.some((i) => i.code === code));
};
const asked = (desk: Desk, field: Field, code: string): boolean => {
  const instrument = field.rows === desk.form.instrument?.indicators ? desk.form.instrument : undefined;
  return !instrument || dimensionOf(instrument, code, desk.child ?? true) !== undefined;
};

/** A matrix: one table where there is room and one choice a row, cards otherwise. */
function Matrix({ field, path, value, desk }: Props) {
  const v = (value ?? {}) as Record<string, unknown>;
  const rows = codesOf(desk.form, field.rows).filter((r) => asked(desk, field, r.code) || v[r.code] !== undefined);
  const wrong = desk.wrong(path);
  const choices = codesOf(desk.form, field.list);
  const frame = (body: ComponentChildren) => (
    <fieldset class={`field ${wrong ? 'wrong' : ''}`} id={id(path)} tabIndex={-1}>
      <legend>{field.label}<Tier field={field} />{!desk.needed(path, field) && <span class="optional">{t('optional')}</span>}</legend>
      {field.hint && <span class="hint">{field.hint}</span>}
      {wrong && <span class="why-wrong">{wrong}</span>}
      {body}
    </fieldset>
  );
  if (field.fields && field.fields.length > 0) {
    return frame(rows.map((r) => (
      <section class="row-card" key={r.code} aria-label={r.label} id={id(`${path}.${r.code}`)} tabIndex={-1}>
        <header><b>{r.label}</b></header>
        {desk.wrong(`${path}.${r.code}`) && <span class="why-wrong">{desk.wrong(`${path}.${r.code}`)}</span>}
        <Fields fields={field.fields!} prefix={`${path}.${r.code}`} values={v[r.code] as Record<string, unknown>} desk={desk} />
      </section>
    )));
  }
  return frame(
    <div class="matrix">{rows.map((r, i) => {
      const name = id(`${path}.${r.code}`);
      const bad = desk.wrong(`${path}.${r.code}`);
      const part = partOf(desk, field, r.code);
      return (
        <Fragment key={r.code}>
        {part && part.id !== partOf(desk, field, rows[i - 1]?.code)?.id && <h3 class="matrix-part">{part.name} <span class="soft small">{t('matrix.answered', { n: rows.filter((x) => v[x.code] !== undefined && partOf(desk, field, x.code)?.id === part.id).length, of: rows.filter((x) => partOf(desk, field, x.code)?.id === part.id).length })}</span></h3>}
        <div class={`matrix-row ${bad ? 'bad' : ''}`} role="radiogroup" aria-labelledby={`${name}-label`} id={name} tabIndex={-1}>
          <span id={`${name}-label`}>{r.label}{bad && <span class="why-wrong">{bad}</span>}</span>
          <div class="picks short">{choices.map((c) => (
            <label class="pick" key={c.code}><input type="radio" name={name} checked={v[r.code] === c.code} onChange={() => desk.set(`${path}.${r.code}`, c.code)} />{c.label}</label>
          ))}
          {v[r.code] !== undefined && <button type="button" class="link tall" onClick={() => desk.set(`${path}.${r.code}`, undefined)}>{t('clear')}<span class="visually-hidden"> {r.label}</span></button>}</div>
        </div>
        </Fragment>
      );
    })}</div>,
  );
}

export function localTime(isoInstant: string): string {
  if (!isoInstant) return '';
  const d = new Date(isoInstant);
  if (Number.isNaN(d.getTime())) return '';
  const two = (n: number) => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** A local time as RFC 3339 with the writer's own offset. */
export function instant(local: string): string | undefined {
  if (!local) return undefined;
  const d = new Date(local);
  if (Number.isNaN(d.getTime())) return undefined;
  const off = -d.getTimezoneOffset();
  const two = (n: number) => String(Math.floor(Math.abs(n))).padStart(2, '0');
  return `${local.length === 16 ? `${local}:00` : local}${off < 0 ? '-' : '+'}${two(off / 60)}:${two(off % 60)}`;
}
