// Filling in a form: what is known already stands there to be confirmed; every
// keystroke is kept on the device; rules answer while one types; faults are
// listed first, with links; what will be sent is read once more before it goes.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError, url } from '../api/client.ts';
import type { Answers, CasePage, Prefill, Problem, RecordView } from '../api/types.ts';
import { lang, t, word } from '../lang/index.ts';
import { moment, now } from '../lang/dates.ts';
import { Keeper, draftKey, findDraft, type Draft } from '../local/drafts.ts';
import { readThrough, useRead } from '../local/reads.ts';
import { arrived, enqueue, flush, forgetReturned, newEntry, returned, unsent } from '../local/sync.ts';
import { uuid } from '../local/uuid.ts';
import { go, setTitle } from '../router.ts';
import { Bones, Box, ErrorNote, say } from '../ui/index.tsx';
import { Unverified } from '../case/tabs.tsx';
import { amended, changes, check, defaults, settle } from './engine.ts';
import { Fields, type Desk } from './fields.tsx';
import { claimsTooMuch, isResult, resultOf } from '../screening/answers.ts';
import { at, fieldAt, isEmpty, loadForm, withAnswer, withInstrument, type Form } from './model.ts';
import { Sheet, useNames } from './sheet.tsx';
import { takeFirstContact } from './start.ts';

interface Loaded { form: Form; draft: Draft; from: Prefill['from']; restored?: number; problems: Problem[]; hidden: Set<string> }

export function FillPage({ caseId = '', form, record = '' }: { caseId?: string; form: string; record?: string }) {
  const [loaded, setLoaded] = useState<Loaded>();
  const [error, setError] = useState<Error>();
  const [round, setRound] = useState(0);
  const language = lang.value;
  useEffect(() => {
    let gone = false;
    load(caseId, form, record).then((l) => { if (!gone) setLoaded(l); }, (e: Error) => { if (!gone) setError(e); });
    return () => { gone = true; };
  }, [caseId, form, record, language, round]);
  if (error && !loaded) return <div class="stack"><h1 tabIndex={-1}>{t('form')}</h1><ErrorNote error={error} retry={() => { setError(undefined); setRound(round + 1); }} /></div>;
  if (!loaded) return <Bones kind="page" />;
  return <Filling key={loaded.draft.id} {...loaded} caseId={caseId} restart={() => { setLoaded(undefined); setRound(round + 1); }} />;
}

async function load(caseId: string, formId: string, record: string): Promise<Loaded> {
  const asIs = await loadForm(formId);
  const view = record ? (await readThrough<RecordView>(url`/api/cases/${caseId}/records/${record}`)).data : undefined;
  const form = await withInstrument(asIs, view?.answers.instrument_version);
  const hidden = new Set<string>(view?.hidden_tiers ?? []);
  const key = draftKey(caseId || 'new', formId, record);
  const kept = await findDraft(key);
  const prefill = caseId && !record
    ? await readThrough<Prefill>(url`/api/cases/${caseId}/prefill/${formId}`).then((r) => r.data, () => undefined)
    : undefined;
  const back = returned.value.find((b) => b.entry.form === formId && (b.entry.stream === caseId || !caseId) && (record ? b.entry.record === record : b.entry.act === 'submit'));
  if (kept && kept.draft.version === form.version) {
    return { form, draft: kept.draft, from: toldBefore(prefill), restored: kept.at, problems: back?.id === kept.draft.id ? back.problems : [], hidden };
  }
  if (back) {
    const e = back.entry;
    const base = view?.answers ?? {};
    const answers = amended(form, base, e.answers);
    return { form, draft: { id: e.id, form: formId, version: form.version, stream: e.stream, record, follows: e.follows, base, answers, confirmed: Object.keys(answers), startedAt: Date.now() }, from: {}, problems: back.problems, hidden };
  }
  const draft: Draft = { id: uuid(), form: formId, version: form.version, stream: caseId, record, follows: [], base: {}, answers: {}, confirmed: [], startedAt: Date.now() };
  if (view) return { form, draft: { ...draft, base: view.answers, answers: view.answers, follows: view.heads }, from: {}, problems: [], hidden };
  // Without a network, or before there is a case, the form's own defaults.
  const opening = prefill?.answers ?? defaults(form, now());
  return { form, draft: { ...draft, answers: { ...opening, ...(caseId ? {} : takeFirstContact()) } }, from: toldBefore(prefill), problems: [], hidden };
}

/** What somebody told before; defaults and computed values are nobody's words. */
function toldBefore(prefill: Prefill | undefined): Prefill['from'] {
  return Object.fromEntries(Object.entries(prefill?.from ?? {}).filter(([, f]) => f.title));
}

function Filling({ form, draft: first, from, restored, problems: early, hidden, caseId, restart }: Loaded & { caseId: string; restart: () => void }) {
  const [draft, setDraft] = useState(first);
  const [problems, setProblems] = useState(early);
  const [step, setStep] = useState<'fill' | 'review'>('fill');
  const [kept, setKept] = useState<'' | 'saving' | 'kept' | 'failed'>(restored ? 'kept' : '');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<Error>();
  const summary = useRef<HTMLDivElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const key = draftKey(caseId || 'new', form.id, draft.record);
  const keeper = useMemo(() => new Keeper(key, setKept), [key]);
  const page = useRead<CasePage>(caseId ? url`/api/cases/${caseId}` : undefined);
  const names = useNames(caseId, page.data);

  useEffect(() => { setTitle(page.data ? page.data.code : form.title); }, [page.data]);
  useEffect(() => { if (early.length > 0) summary.current?.focus(); }, []);

  const code = useRef<string | undefined>(undefined);
  code.current = page.data?.code;
  const latest = useRef(draft);
  const change = useCallback((next: Draft) => {
    latest.current = next;
    setDraft(next);
    void keeper.keep({ ...next, title: form.title, ...(code.current ? { about: code.current } : {}) });
  }, [keeper]);
  const set = useCallback((path: string, value: unknown) => {
    const d = latest.current;
    change({ ...d, answers: withAnswer(d.answers, path, value, form), confirmed: d.confirmed.includes(path) ? d.confirmed : [...d.confirmed, path] });
    // What was wrong is looked at again when sending; here it only stops shouting.
    setProblems((old) => (old.some((p) => p.path === path || p.path.startsWith(`${path}.`)) ? old.filter((p) => p.path !== path && !p.path.startsWith(`${path}.`)) : old));
  }, [change]);

  const env = { now: now() };
  const settled = settle(form, draft.answers, env);
  const topOf = (path: string) => path.split(/[.[]/)[0]!;
  const isConfirmed = (path: string) => draft.confirmed.includes(path) || draft.confirmed.includes(topOf(path));
  const unconfirmed = Object.keys(from).filter((path) => !isEmpty(at(draft.answers, path)) && !isConfirmed(path) && settled.applies(path) && fieldAt(form, path));
  // A part that the reader may not open is neither shown nor asked: the server has it.
  const mayAnswer = (path: string) => !hidden.has(fieldAt(form, path)?.tier ?? '');
  // Whoever does not see what was told cannot be told what follows from it: the server computes it.
  const seesResult = form.fields.some((f) => isResult(f) && mayAnswer(f.name));
  const byPath = new Map(problems.map((p) => [p.path, p.message]));
  const desk: Desk = {
    form, caseId, set,
    applies: (path) => settled.applies(path) && mayAnswer(path), needed: settled.needed, choices: settled.choices,
    wrong: (path) => byPath.get(path) ?? partWrong(problems, form, path),
    known: (path) => {
      const f = from[path];
      if (!f || isEmpty(at(draft.answers, path))) return undefined;
      return { title: f.title ?? '', at: f.at ?? '', author: f.author ?? '', confirmed: isConfirmed(path), confirm: () => change({ ...latest.current, confirmed: [...latest.current.confirmed, path] }) };
    },
    child: resultOf(form, draft.answers)?.child,
    round: problems.length,
  };

  const review = (e: Event) => {
    e.preventDefault();
    const found = check(form, draft.answers, env).problems.filter((p) => mayAnswer(p.path));
    const toConfirm: Problem[] = unconfirmed.map((path) => ({ path, code: 'confirm', message: t('problem.confirm') }));
    if (seesResult && claimsTooMuch(form, draft.answers)) found.push({ path: 'identification_stage', code: 'not_negative', message: t('screening.not_negative') });
    const all = [...found, ...toConfirm.filter((c) => !found.some((p) => p.path === c.path))];
    setProblems(inOrder(form, all));
    if (all.length > 0) {
      requestAnimationFrame(() => summary.current?.focus());
      return;
    }
    setStep('review');
    requestAnimationFrame(() => { scrollTo(0, 0); heading.current?.focus(); });
  };

  const send = async () => {
    setBusy(true);
    setFailed(undefined);
    try {
      const clean = check(form, draft.answers, env).clean;
      const amending = draft.record !== '';
      const stream = caseId || draft.stream || uuid();
      const answers = amending ? changes(form, draft.base, clean) : clean;
      if (amending && Object.keys(answers).length === 0) {
        say(t('nothing.changed'));
        await keeper.forget();
        return go(url`/cases/${caseId}/records/${draft.record}`);
      }
      const entry = newEntry({
        id: draft.id, stream, form: form.id, version: form.version, act: amending ? 'amend' : 'submit',
        record: amending ? draft.record : form.single ? form.id : draft.id, follows: draft.follows, answers,
      }, now());
      // Kept in the queue first, the draft goes only then: at no moment is it in neither.
      await forgetReturned(entry.id);
      await enqueue({ id: entry.id, kind: caseId ? 'entries' : 'case', title: form.title, entry });
      await keeper.forget();
      let newCase = '';
      const stop = arrived.subscribe((got) => { if (got?.entry.id === entry.id) newCase = got.case; });
      await Promise.race([flush(), new Promise((done) => setTimeout(done, 6000))]);
      stop();
      const back = returned.value.find((b) => b.id === entry.id);
      if (back) {
        change({ ...draft, stream: caseId ? draft.stream : stream });
        setProblems(inOrder(form, back.problems));
        setStep('fill');
        setFailed(new ApiError(422, back.code, back.message || t('refused.title'), back.problems));
        requestAnimationFrame(() => summary.current?.focus());
        return;
      }
      const waiting = unsent.value.some((u) => u.id === entry.id);
      say(waiting ? t('kept.unsent') : t('sent', { title: form.title }));
      go(caseId ? url`/cases/${caseId}` : newCase ? url`/cases/${newCase}` : '/');
    } catch (e) {
      setFailed(e as Error);
    } finally {
      setBusy(false);
    }
  };

  const crumbs = (
    <p class="crumbs">{caseId ? <a href={url`/cases/${caseId}`}>{page.data ? [page.data.code, page.data.header.name].filter(Boolean).join(' · ') : t('the.case')}</a> : <a href="/find">{t('nav.find')}</a>} / {form.title}</p>
  );
  if (step === 'review') {
    const checked = check(form, draft.answers, env).clean;
    const clean = seesResult ? withResult(form, checked) : checked;
    const only = draft.record ? new Set([...Object.keys(changes(form, draft.base, clean)), ...(seesResult ? form.fields.filter(isResult).map((f) => f.name) : [])]) : undefined;
    return (
      <>
        {crumbs}
        <div class="sheet stack">
          <h1 tabIndex={-1} ref={heading}>{t('review.title')}</h1>
          <p class="soft">{t(draft.record ? 'review.amend' : 'review.new')}</p>
          {failed && <ErrorNote error={failed} />}
          <Sheet form={form} answers={clean} names={names} {...(only ? { only, cleared: Object.keys(changes(form, draft.base, clean)).filter((k) => !(k in clean)) } : {})} />
          <div class="form-foot">
            <button type="button" class="btn primary" disabled={busy} aria-busy={busy} onClick={() => void send()}>{t('send')}</button>
            <button type="button" class="btn" disabled={busy} onClick={() => { setStep('fill'); requestAnimationFrame(() => heading.current?.focus()); }}>{t('review.back')}</button>
          </div>
        </div>
      </>
    );
  }
  return (
    <>
      {crumbs}
      <form class="sheet" noValidate onSubmit={review} aria-label={form.title}>
        <div class="stack">
          <div>
            <h1 tabIndex={-1} ref={heading}>{draft.record ? t('amend.title', { title: form.title }) : form.title}</h1>
            <p class="soft small">{[form.when, form.deadline].filter(Boolean).join(' · ')} {form.confidence !== 'V' && <Unverified note={form.status} />}</p>
          </div>
          {restored && <Box><p>{t('restored', { at: moment(new Date(restored).toISOString()) })} <button type="button" class="link tall" onClick={() => {
            const before = latest.current;
            void keeper.forget().then(() => { restart(); say(t('restarted'), () => void keeper.keep(before).then(restart)); });
          }}>{t('start.again')}</button></p></Box>}
          {problems.length > 0 && (
            <div class="summary-errors" ref={summary} tabIndex={-1} role="alert" aria-labelledby="wrong-title">
              <h2 id="wrong-title">{failed instanceof ApiError ? t('refused.title') : t('problems.title', { n: problems.length })}</h2>
              {failed instanceof ApiError && <p>{failed.message}</p>}
              <ul>{problems.map((p) => <li key={p.path + p.code}><a href={`#f-${p.path}`} onClick={(e) => { e.preventDefault(); focusOn(p.path); }}>{labelAt(form, p.path)}: {p.message}</a></li>)}</ul>
            </div>
          )}
          {problems.length === 0 && failed && <div ref={summary} tabIndex={-1}><ErrorNote error={failed} /></div>}
          {unconfirmed.length > 0 && (
            <Box kind="good">
              <h2>{t('known.title', { n: unconfirmed.length })}</h2>
              <p class="small">{t('known.what')}</p>
              <dl class="facts">{unconfirmed.map((path) => { const f = fieldAt(form, path)!; return <><dt>{f.label}</dt><dd><Sheet.Text form={form} field={f} value={at(draft.answers, path)} names={names} /></dd></>; })}</dl>
              <p><button type="button" class="btn" onClick={() => change({ ...latest.current, confirmed: [...new Set([...latest.current.confirmed, ...unconfirmed])] })}>{t('known.all')}</button></p>
            </Box>
          )}
        </div>
        <hr />
        <Fields fields={form.fields} prefix="" values={settled.answers} desk={desk} />
        <div class="form-foot">
          <button class="btn primary">{t('review.go')}</button>
          <a class="btn" href={caseId ? url`/cases/${caseId}` : '/'}>{t('later')}</a>
          <span class="saved">{kept === 'failed' ? <b class="late" role="alert">{t('kept.failed')}</b> : kept === 'saving' ? t('keeping') : kept === 'kept' ? t('kept.here') : ''}</span>
        </div>
      </form>
    </>
  );
}

/** The answers with a screening's result beside them, as the server will compute it. */
function withResult(form: Form, answers: Answers): Answers {
  const field = form.fields.find(isResult);
  const result = field && resultOf(form, answers);
  return result ? { ...answers, [field.name]: result } : answers;
}

/** A fault of a part (age.years) is said at its question. */
function partWrong(problems: Problem[], form: Form, path: string): string | undefined {
  const field = fieldAt(form, path);
  if (!field || ['group', 'repeat', 'matrix'].includes(field.type)) return undefined;
  return problems.find((p) => p.path.startsWith(`${path}.`) || p.path.startsWith(`${path}[`))?.message;
}

function labelAt(form: Form, path: string): string {
  const row = /\[(\d+)\]/.exec(path);
  const label = fieldAt(form, path)?.label ?? word('form', path);
  return row ? `${label} (${Number(row[1]) + 1})` : label;
}

function inOrder(form: Form, problems: Problem[]): Problem[] {
  const place = new Map(form.fields.map((f, i) => [f.name, i]));
  const rank = (p: Problem) => place.get(p.path.split(/[.[]/)[0]!) ?? 999;
  return [...problems].sort((a, b) => rank(a) - rank(b));
}

/** Goes to the question with this path, or to the nearest one around it. */
function focusOn(path: string): void {
  for (let p = path; p; p = p.replace(/(\.[^.[]+|\[\d+\])$/, '')) {
    const el = document.getElementById(`f-${p}`);
    if (el) {
      const input = el.matches('input, select, textarea') ? el : el.querySelector<HTMLElement>('input, select, textarea, button') ?? el;
      el.scrollIntoView({ block: 'center' });
      input.focus({ preventScroll: true });
      return;
    }
    if (!/[.[]/.test(p)) return;
  }
}

