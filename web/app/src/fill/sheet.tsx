// Answers to read: before sending, in a record, for approval, on paper.
import { useEffect, useState } from 'preact/hooks';
import type { Answers, CasePage, Organisation, Person } from '../api/types.ts';
import { dayOf } from '../lang/dates.ts';
import { t } from '../lang/index.ts';
import { readThrough } from '../local/reads.ts';
import { Name } from '../ui/index.tsx';
import { isResult } from '../screening/answers.ts';
import { isEmpty, type Field, type Form } from './model.ts';
import { isResultAnswer, ScreeningResult } from '../screening/result.tsx';
import { answerText, type Names } from './text.ts';

/** A consent is called by its day and who asked for it. */
export const consentsOf = (page: Pick<CasePage, 'forms'> | undefined) =>
  (page?.forms.find((f) => f.form === 'F03_consent')?.records ?? []).map((r) => ({ code: r.record, label: `${dayOf(r.at)}, ${r.author}`, struck: r.struck ?? false }));

/** What references are called: colleagues, organisations, the consents of this case. An id is nobody's word. */
export function useNames(caseId: string, page?: CasePage): Names {
  const [known, setKnown] = useState<Map<string, string>>();
  useEffect(() => {
    let gone = false;
    const list = <T extends { id: string; name: string }>(path: string) =>
      readThrough<T[] | { items: T[] }>(path).then(({ data }) => (Array.isArray(data) ? data : data.items ?? []), () => [] as T[]);
    void Promise.all([list<Person>('/api/people'), list<Organisation>('/api/organisations')]).then(([people, orgs]) => {
      if (!gone) setKnown(new Map([...people.map((p) => [`user/${p.id}`, p.name] as const), ...orgs.map((o) => [`org/${o.id}`, o.name] as const)]));
    });
    return () => { gone = true; };
  }, [caseId]);
  return (kind, id) => {
    if (kind === 'consent') return page ? consentsOf(page).find((c) => c.code === id)?.label : '…';
    return known ? known.get(`${kind}/${id}`) : '…';
  };
}

interface Props {
  form: Form; answers: Answers; names: Names;
  only?: Set<string>; // top fields to show; all when absent
  cleared?: string[]; // fields whose answer is taken away
}

export function Sheet({ form, answers, names, only, cleared = [] }: Props) {
  const fields = form.fields.filter((f) => !['note', 'preview'].includes(f.type) && (only ? only.has(f.name) : !isEmpty(answers[f.name]) || answers[f.name] === false));
  // What the rules make of the answers stands before the many answers.
  fields.sort((a, b) => Number(isResult(b)) - Number(isResult(a)));
  if (fields.length === 0) return <p class="soft">{t('answers.none')}</p>;
  return (
    <dl class="answers">
      {fields.map((f) => (
        <div key={f.name}>
          <dt>{f.label}{f.tier && f.tier !== 'coded' && <span class="tier">{t(`tier.${f.tier as 'story'}`)}</span>}</dt>
          <dd>{cleared.includes(f.name) ? <i>{t('answer.cleared')}</i> : <Sheet.Text form={form} field={f} value={answers[f.name]} names={names} />}</dd>
        </div>
      ))}
    </dl>
  );
}

Sheet.Text = ({ form, field, value, names }: { form: Form; field: Field; value: unknown; names: Names }) => (
  isResultAnswer(value) && field.type === 'auto' ? <ScreeningResult form={form} result={value} /> : <Name of={{ text: answerText(form, field, value, names) }} />
);
