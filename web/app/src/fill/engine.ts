// What the rules of a form say about answers: which questions apply, which are
// needed, what is computed, what is wrong. The server says the same again.
import type { Answers, Problem } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { codesOf, isEmpty, type Code, type Field, type Form } from './model.ts';

export interface Env { now: Date; lang: string; known?: (path: string) => unknown }

export interface Settled {
  /** The answers with everything computed that the form computes. */
  answers: Answers;
  applies: (path: string) => boolean;
  needed: (path: string, field: Field) => boolean;
  choices: (path: string, field: Field) => Code[];
}

export function settle(form: Form, answers: Answers, _env: Env): Settled {
  return { answers, applies: () => true, needed: (_p, f) => f.required === true, choices: (_p, f) => codesOf(form, f.list) };
}

/** What is valid to send, and all that is wrong. */
export function check(form: Form, answers: Answers, _env: Env): { clean: Answers; problems: Problem[] } {
  const problems: Problem[] = [];
  const walk = (fields: Field[], values: Record<string, unknown>, prefix: string) => {
    for (const f of fields) {
      const path = prefix ? `${prefix}.${f.name}` : f.name;
      const v = values?.[f.name];
      if (f.type === 'auto' || f.type === 'calculate' || f.name === form.approval_field) continue;
      if (f.required && isEmpty(v) && v !== false) problems.push({ path, code: 'required', message: f.required_message ?? t('problem.required') });
      if (f.type === 'group') walk(f.fields ?? [], (v ?? {}) as Record<string, unknown>, path);
      if (f.type === 'repeat') ((v ?? []) as Record<string, unknown>[]).forEach((row, i) => walk(f.fields ?? [], row, `${path}[${i}]`));
    }
  };
  walk(form.fields, answers, '');
  return { clean: answers, problems };
}
