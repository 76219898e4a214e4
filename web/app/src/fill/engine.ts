// The form engine (src/forms) as a page uses it: which questions apply, which
// are needed, what is computed, what is wrong. The server says the same again,
// and has the last word.
import type { Answers, Problem } from '../api/types.ts';
import { Model, Run, applyChanges, check as checkForm, diffAnswers, nowText, prefill, rootPlace, type Env as EngineEnv, type Field as EngineField, type Place } from '../forms/index.ts';
import type { Answers as EngineAnswers, Value } from '../forms/types.ts';
import { word } from '../lang/index.ts';
import { uuid } from '../local/uuid.ts';
import { codesOf, isEmpty, steps, type Code, type Field, type Form } from './model.ts';

export interface Env { now: Date; known?: (path: string) => unknown }

export interface Settled {
  /** The answers as typed, with what the form computes put in. */
  answers: Answers;
  applies: (path: string) => boolean;
  needed: (path: string, field: Field) => boolean;
  choices: (path: string, field: Field) => Code[];
}

const models = new WeakMap<Form, Model>();
function modelOf(form: Form): Model {
  let m = models.get(form);
  if (!m) models.set(form, (m = new Model(form, form.lists)));
  return m;
}

const problemCodes = [
  'unknown_field', 'type', 'utf8', 'control', 'too_long', 'too_many', 'too_big', 'too_deep', 'code', 'filtered', 'irrelevant', 'required',
  'constraint', 'number_range', 'whole', 'date', 'from_to', 'part', 'row_id', 'row_twice', 'reference', 'too_complex',
];

function engineEnv(env: Env): EngineEnv {
  return {
    now: nowText(env.now), newId: uuid, known: (path) => env.known?.(path) as Value,
    // The engine fills in {max} and its like itself.
    messages: Object.fromEntries(problemCodes.map((c) => [c, word(`problem.${c}`, c, keepHoles)])),
  };
}
const keepHoles = new Proxy({}, { get: (_t, name) => `{${String(name)}}` });

export function settle(form: Form, answers: Answers, env: Env): Settled {
  const model = modelOf(form);
  const run = new Run(model, engineEnv(env));
  const { clean, problems, irrelevant } = run.check(structuredClone(answers) as EngineAnswers);
  const settled = (clean ?? answers) as EngineAnswers;
  const unanswered = new Set(problems.filter((p) => p.code === 'required').map((p) => p.path));
  const located = (path: string): [EngineField, Place] | undefined => {
    const field = model.field(path.replace(/\[\d+\]/g, ''));
    const place = field && placeOf(settled, path);
    return field && place ? [field, place] : undefined;
  };
  return {
    answers: withComputed(form, answers, settled as Answers),
    applies: (path) => !irrelevant.has(path),
    needed: (path, field) => {
      if (field.required === true || unanswered.has(path)) return true;
      const l = field.required_when ? located(path) : undefined;
      return l !== undefined && run.isRequired(...l);
    },
    choices: (path, field) => {
      const codes = codesOf(form, field.list);
      if (!field.choice_filter) return codes;
      const l = located(path);
      return l ? codes.filter((c) => run.offers(l[0], c.code, l[1])) : codes;
    },
  };
}

/** What is valid to send, and all that is wrong. */
export function check(form: Form, answers: Answers, env: Env): { clean: Answers; problems: Problem[] } {
  const c = checkForm(modelOf(form), structuredClone(answers) as EngineAnswers, engineEnv(env));
  return { clean: (c.clean ?? answers) as Answers, problems: c.problems };
}

/** What an amendment says: only what differs, cell by cell; null clears. */
export function changes(form: Form, before: Answers, after: Answers): Answers {
  const computed = new Set(form.fields.filter((f) => f.type === 'auto' || f.type === 'calculate' || f.name === form.approval_field).map((f) => f.name));
  const all = diffAnswers(modelOf(form), before as EngineAnswers, after as EngineAnswers) as Answers;
  return Object.fromEntries(Object.entries(all).filter(([k]) => !computed.has(k)));
}

/** The record as it is with an amendment put on it. */
export function amended(form: Form, before: Answers, change: Answers): Answers {
  return applyChanges(modelOf(form), before as EngineAnswers, change as EngineAnswers) as Answers;
}

/** What a form opens with when nothing is known yet. */
export function defaults(form: Form, now: Date): Answers {
  return prefill(modelOf(form), engineEnv({ now })).answers as Answers;
}

/** The level of the answers at which the field of this path stands. */
function placeOf(answers: EngineAnswers, path: string): Place | undefined {
  let p = rootPlace(answers as never);
  const walk = steps(path).slice(0, -1);
  for (let i = 0; i < walk.length; i++) {
    const name = walk[i] as string;
    const inner = (p.m as Record<string, unknown>)[name];
    const next = walk[i + 1];
    if (typeof next === 'number') {
      const row = Array.isArray(inner) ? inner[next] : undefined;
      if (!row) return undefined;
      p = { m: row, scopes: [...p.scopes, row], index: next + 1, prefix: `${p.prefix}${name}[${next}].` };
      i++;
    } else if (inner && typeof inner === 'object') {
      p = { ...p, m: inner as never, prefix: `${p.prefix}${name}.` };
    } else {
      return undefined;
    }
  }
  return p;
}

/** Computed values put beside what was typed, so that typing is never rewritten. */
function withComputed(form: Form, typed: Answers, settled: Answers): Answers {
  const put = (fields: Field[], into: Answers, from: Answers): Answers => {
    const out = { ...into };
    for (const f of fields) {
      if (f.type === 'calculate') {
        if (isEmpty(from[f.name])) delete out[f.name];
        else out[f.name] = from[f.name];
      } else if (f.type === 'group' && f.fields && typeof from[f.name] === 'object') {
        out[f.name] = put(f.fields, (out[f.name] ?? {}) as Answers, from[f.name] as Answers);
      } else if (f.type === 'repeat' && f.fields?.some((x) => x.type === 'calculate') && Array.isArray(out[f.name]) && Array.isArray(from[f.name])) {
        const rows = from[f.name] as Answers[];
        out[f.name] = (out[f.name] as Answers[]).map((row, i) => (rows[i] ? put(f.fields!, row, rows[i]!) : row));
      }
    }
    return out;
  };
  return put(form.fields, typed, settled);
}
