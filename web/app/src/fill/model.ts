// A form as the server describes it, the lists it needs, and answers as a tree
// that is changed by path. Paths are those of the forms engine: rows counted
// from 0, caregivers[2].age, domain.safety.level.
import type { Answers } from '../api/types.ts';
import { url } from '../api/client.ts';
import { lang } from '../lang/index.ts';
import { readThrough } from '../local/reads.ts';
import type { CodeDescription as Code, Description, FieldDescription as Field, ListDescription as List } from '../forms/types.ts';
import type { Instrument } from '../screening/evaluate.ts';

/** A form with what its pages need besides: a screening's weights and rules. */
export type Form = Description & { instrument?: Instrument };
export type { Code, Field, List };

export const CONTAINERS = new Set(['group', 'repeat']);
export const SILENT = new Set(['note', 'preview']);

const forms = new Map<string, Promise<Form>>();

/** The form in the reader's language, with every list it names. */
export function loadForm(id: string): Promise<Form> {
  const key = `${lang.value}/${id}`;
  let form = forms.get(key);
  if (!form) {
    form = fetchForm(id);
    forms.set(key, form);
    form.catch(() => forms.delete(key));
  }
  return form;
}

async function fetchForm(id: string): Promise<Form> {
  const { data } = await readThrough<Form>(url`/api/forms/${id}?lang=${lang.value}`);
  const form: Form = { ...data, lists: { ...data.lists } };
  await Promise.all((form.external ?? []).map(async (list) => {
    form.lists[list] = await loadList(list);
  }));
  // Without it the form works as before; only the result waits for the server.
  if (form.fields.some((f) => f.appearance === 'screening_result')) {
    const instrument = await loadInstrument('in-force').catch(() => undefined);
    if (instrument) form.instrument = instrument;
  }
  return form;
}

/** The form with the instrument that a record was made with, when that is another one. */
export async function withInstrument(form: Form, version: unknown): Promise<Form> {
  if (!form.instrument || typeof version !== 'string' || version === '' || version === form.instrument.id) return form;
  const instrument = await loadInstrument(version).catch(() => undefined);
  return instrument ? { ...form, instrument } : form;
}

async function loadInstrument(id: string): Promise<Instrument> {
  return (await readThrough<Instrument>(url`/api/instruments/${id}?lang=${lang.value}`)).data;
}

export async function loadList(id: string): Promise<List> {
  return (await readThrough<List>(url`/api/lists/${id}?lang=${lang.value}`)).data;
}

export function codesOf(form: Form, list: string | undefined): Code[] {
  return (list && form.lists[list]?.codes) || [];
}

export function labelOf(form: Form, list: string | undefined, code: unknown): string {
  return codesOf(form, list).find((c) => c.code === code)?.label ?? String(code ?? '');
}

type Step = string | number;

export function steps(path: string): Step[] {
  const out: Step[] = [];
  for (const m of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) out.push(m[2] !== undefined ? Number(m[2]) : m[1]!);
  return out;
}

/** The steps of a path in this form. A matrix's row code may hold dots itself
 * (screening's D4.low_salary): behind a matrix without columns all that follows is one code. */
export function stepsIn(form: Form, path: string): Step[] {
  const all = steps(path);
  let fields: Field[] | undefined = form.fields;
  for (const [i, s] of all.entries()) {
    if (typeof s === 'number') continue;
    const f: Field | undefined = fields?.find((x) => x.name === s);
    if (f?.type === 'matrix' && !f.fields?.length && all.length > i + 2) return [...all.slice(0, i + 1), all.slice(i + 1).join('.')];
    fields = f?.fields;
  }
  return all;
}

export function at(answers: unknown, path: string): unknown {
  let v = answers;
  for (const s of steps(path)) {
    if (v === null || typeof v !== 'object') return undefined;
    v = (v as Record<Step, unknown>)[s];
  }
  return v;
}

/** Nothing was answered: no key then. */
export function isEmpty(v: unknown): boolean {
  if (v === undefined || v === null || v === '') return true;
  if (Array.isArray(v)) return v.length === 0;
  return typeof v === 'object' && Object.keys(v).length === 0;
}

/** The answers with one of them changed; what becomes empty is left out. */
export function withAnswer(answers: Answers, path: string, value: unknown, form?: Form): Answers {
  return put(answers, form ? stepsIn(form, path) : steps(path), value) as Answers;
}

function put(here: unknown, [step, ...rest]: Step[], value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(here) ? [...here] : [];
    list[step] = put(list[step], rest, value);
    return list;
  }
  const object = { ...(here as Record<string, unknown> | undefined) };
  const next = put(object[step], rest, value);
  if (isEmpty(next)) delete object[step];
  else object[step] = next;
  return object;
}

/** The field at a path, whatever rows it passes through. */
export function fieldAt(form: Form, path: string): Field | undefined {
  let fields: Field[] | undefined = form.fields;
  let found: Field | undefined;
  for (const s of steps(path)) {
    if (typeof s === 'number') continue;
    const next: Field | undefined = fields?.find((f) => f.name === s);
    if (!next) return found; // a part of a composite answer, or a row of a matrix
    found = next;
    fields = next.fields;
  }
  return found;
}
