// A screening's result with its reasons, for the worker: while filling in, before
// sending, and in the record. Never on a page for the person it is about.
import { useState } from 'preact/hooks';
import type { Answers } from '../api/types.ts';
import { codesOf, labelOf, type Field, type Form } from '../fill/model.ts';
import { t, word } from '../lang/index.ts';
import { classOf, resultOf } from './answers.ts';
import type { DimensionResult, Result } from './evaluate.ts';

export function isResultAnswer(v: unknown): v is Result {
  return typeof v === 'object' && v !== null && typeof (v as Result).class === 'string' && (v as Result).class !== '';
}

/** While filling in: computed from what is typed, also without a network. */
export function LiveResult({ form, field, answers }: { form: Form; field: Field; answers: Answers }) {
  const [open, setOpen] = useState(false);
  const result = resultOf(form, answers);
  if (!form.instrument) return null;
  // The person may hold the device: the result waits until the worker has it back.
  const covered = answers.mode === 'self_audio' && !open;
  return (
    <section class="field screening" id={`f-${field.name}`} aria-label={field.label} tabIndex={-1}>
      <h2>{t('screening.result')}</h2>
      {covered
        ? <p>{t('screening.covered')} <button type="button" class="btn" onClick={() => setOpen(true)}>{t('screening.uncover')}</button></p>
        : result ? <ScreeningResult form={form} result={result} /> : <p class="soft">{t('screening.begin')}</p>}
    </section>
  );
}

/** The class, the draft's mark, what to do, and what it rests on. */
export function ScreeningResult({ form, result: r }: { form: Form; result: Result }) {
  const instrument = form.instrument;
  const said = classOf(instrument, r.class);
  const rule = instrument?.rules.find((x) => x.id === r.rule);
  const signs = (r.dimensions ?? []).filter((d) => d.positive || d.signs?.length);
  const quiet = (r.dimensions ?? []).filter((d) => !signs.includes(d));
  return (
    <div class="stack-s">
      <p class="wrap" role="status"><b class="verdict">{said?.label ?? r.class}</b> {r.status && <span class="tag medium">{t('screening.draft')}</span>}{said?.status && <span class="tag medium">{t('screening.proposal')}</span>}</p>
      {said && <p>{said.advice}</p>}
      {rule && <p class="small"><b>{t('screening.why')}</b> {rule.text} <span class="soft">({rule.source})</span></p>}
      {signs.length > 0 && <ul class="list small dimensions">{signs.map((d) => <li key={d.id}><DimensionLine form={form} d={d} /></li>)}</ul>}
      {quiet.length > 0 && signs.length > 0 && <p class="small soft">{t('screening.quiet', { list: quiet.map((d) => nameOf(form, d.id)).join(', ') })}</p>}
      {r.brief && <p class="small"><b>{t('screening.brief')}</b> {(r.brief.signs ?? []).length > 0 ? r.brief.signs!.map((c) => labelOf(form, instrument?.brief.list, c)).join(' · ') : t('screening.brief.none')}</p>}
      {r.asked && !(r.notes ?? []).includes('brief_only') && <p class="small">{t('screening.asked', { yes: r.asked.yes, no: r.asked.no, unknown: r.asked.unknown, refused: r.asked.refused, not_asked: r.asked.not_asked, of: r.asked.of })} <b>{t('screening.open', { n: r.asked.open_percent })}</b></p>}
      {(r.notes ?? []).length > 0 && <ul class="small">{r.notes!.map((n) => <li key={n}>{word(`screening.note.${n}`, n, { list: listFor(form, r, n), n: instrument?.unknown.more_than_percent })}</li>)}</ul>}
      <p class="small soft">{t(r.child ? 'screening.rules.child' : 'screening.rules.adult')} {instrument?.title ?? r.instrument}. {t('screening.worker')}</p>
    </div>
  );
}

function DimensionLine({ form, d }: { form: Form; d: DimensionResult }) {
  return (
    <>
      <b>{nameOf(form, d.id)}</b> <span class={`tag ${d.positive ? 'info' : ''}`}>{d.positive ? t('screening.positive') : t('screening.below')}</span>{' '}
      <span class="soft">{t('screening.counts', { strong: d.strong, medium: d.medium, weak: d.weak })}</span>
      <ul>{(d.signs ?? []).map((s) => <li key={s.code}>{indicator(form, s.code)} <span class="soft">({t(`screening.weight.${s.weight}`)})</span></li>)}</ul>
    </>
  );
}

const nameOf = (form: Form, id: string): string => form.instrument?.dimensions.find((d) => d.id === id)?.name ?? id;
const indicator = (form: Form, code: string): string => labelOf(form, form.instrument?.indicators, code);

/** What a note speaks of: the questions in dispute, or those outside the profile. */
function listFor(form: Form, r: Result, note: string): string {
  if (note === 'outside_profile') return (r.outside ?? []).map((c) => indicator(form, c)).join('; ');
  if (note !== 'disputed') return '';
  return (r.disputed ?? []).map((path) => {
    const [, matrix, code = ''] = /^(answers|brief)\.(.+)$/.exec(path) ?? [];
    const list = matrix === 'brief' ? form.instrument?.brief.list : form.instrument?.indicators;
    return codesOf(form, list).some((c) => c.code === code) ? labelOf(form, list, code) : form.fields.find((f) => f.name === path)?.label ?? path;
  }).join('; ');
}
