// An answer in words, for review, records, approvals and paper.
import { signal } from '@preact/signals';
import { url } from '../api/client.ts';
import type { Place } from '../api/types.ts';
import { readThrough } from '../local/reads.ts';
import { dateOf, moment } from '../lang/dates.ts';
import { t, word, lang } from '../lang/index.ts';
import { classOf, isResult } from '../screening/answers.ts';
import { codesOf, isEmpty, labelOf, type Field, type Form } from './model.ts';

interface AgeAnswer { years?: number; months?: number; dob?: string; observed_on?: string; basis?: string }
interface LocationAnswer { country?: string; adm1?: string; adm2?: string; place?: string; lat?: number; lon?: number }

/** Names of places by P-code, fetched when a text first needs them; texts are drawn again when they come. */
const placeNames = signal<Map<string, string>>(new Map());
const asked = new Set<string>();
function wantPlaces(country: string, parent = ''): void {
  const path = url`/api/places?country=${country}` + (parent ? url`&parent=${parent}` : '');
  if (asked.has(path)) return;
  asked.add(path);
  readThrough<Place[]>(path).then(
    ({ data }) => { if (Array.isArray(data)) placeNames.value = new Map([...placeNames.value, ...data.map((p) => [p.code, p.name] as const)]); },
    () => { asked.delete(path); },
  );
}

/** Names of people and organisations that codes and ids stand for. */
export type Names = (kind: string, id: string) => string | undefined;

export function answerText(form: Form, field: Field, value: unknown, names: Names = () => undefined): string {
  if (isEmpty(value) && value !== false) return '';
  switch (field.type) {
    case 'select_one': return labelOf(form, field.list, value);
    case 'select_multiple': return (value as string[]).map((c) => labelOf(form, field.list, c)).join(', ');
    case 'boolean': case 'acknowledge': return value ? t('yes') : t('no');
    case 'date': return dateOf(value as string);
    case 'datetime': return moment(value as string);
    case 'daterange': { const r = value as { from?: string; to?: string }; return `${dateOf(r.from)} – ${dateOf(r.to)}`; }
    case 'range': { const r = value as { from?: number; to?: number }; return `${r.from ?? ''} – ${r.to ?? ''}`; }
    case 'integer': case 'decimal': return typeof value === 'number' ? new Intl.NumberFormat(lang.value).format(value) : String(value);
    case 'list': return (value as string[]).join(', ');
    case 'age': return ageWords(form, value as AgeAnswer);
    case 'location': return placeWords(form, value as LocationAnswer);
    case 'money': { const m = value as { amount?: string; currency?: string }; return `${m.amount ?? ''} ${m.currency ?? ''}`.trim(); }
    case 'files': return (value as { name: string }[]).map((f) => f.name).join(', ');
    case 'matrix': return matrixWords(form, field, value as Record<string, unknown>, names);
    case 'repeat': return (value as Record<string, unknown>[]).map((row, i) => `${i + 1}. ${rowWords(form, field, row, names)}`).join('\n');
    case 'group': return rowWords(form, field, value as Record<string, unknown>, names, '\n');
    case 'auto': return isResult(field) ? classOf(form.instrument, String((value as { class?: string }).class))?.label ?? String((value as { class?: string }).class ?? '') : String(value);
    default:
      if (field.type.startsWith('ref_')) return [value].flat().map((id) => names(field.type.slice(4), String(id)) ?? (isId(String(id)) ? t('ref.gone') : String(id))).join(', ');
      return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }
}

/** Ids of ours mean nothing to a reader; what else stands in a reference was written by hand. */
export const isId = (s: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(s);

function rowWords(form: Form, field: Field, row: Record<string, unknown>, names: Names, between = '; '): string {
  return (field.fields ?? []).map((f) => [f, answerText(form, f, row?.[f.name], names)] as const)
    .filter(([, text]) => text !== '').map(([f, text]) => `${f.label}: ${text}`).join(between);
}

function matrixWords(form: Form, field: Field, value: Record<string, unknown>, names: Names): string {
  return codesOf(form, field.rows).filter((r) => !isEmpty(value[r.code]))
    .map((r) => `${r.label}: ${field.fields ? rowWords(form, field, value[r.code] as Record<string, unknown>, names) : labelOf(form, field.list, value[r.code])}`)
    .join('\n');
}

function ageWords(form: Form, a: AgeAnswer): string {
  return [
    a.years !== undefined && t('age.years', { n: a.years }),
    a.months !== undefined && t('age.months', { n: a.months }),
    a.dob && t('age.born', { at: dateOf(a.dob) }),
    a.observed_on && t('age.observed', { at: dateOf(a.observed_on) }),
    a.basis && (form.lists['age_basis'] ? labelOf(form, 'age_basis', a.basis) : word(`agebasis.${a.basis}`, a.basis)),
  ].filter(Boolean).join(', ');
}

function placeWords(form: Form, p: LocationAnswer): string {
  if (p.country) wantPlaces(p.country);
  if (p.country && p.adm1 && p.adm2) wantPlaces(p.country, p.adm1);
  const code = (c: string | undefined) => c && (placeNames.value.get(c) ?? c);
  return [p.place, code(p.adm2), code(p.adm1), p.country && labelOf(form, 'country', p.country)].filter(Boolean).join(', ');
}
