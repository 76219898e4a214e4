// The screening form's answers as the arithmetic needs them (internal/screening/form.go).
import type { Answers } from '../api/types.ts';
import type { Field, Form } from '../fill/model.ts';
import { evaluate, type Instrument, type Result } from './evaluate.ts';

/** Whether a field shows a screening's result. */
export const isResult = (f: Field): boolean => f.appearance === 'screening_result';

/** The result of the answers as they stand; undefined where nothing was begun or no instrument is there. */
export function resultOf(form: Form, answers: Answers): Result | undefined {
  const { instrument } = form;
  if (!instrument || typeof answers.profile !== 'string' || answers.profile === '') return undefined;
  return evaluate(instrument, {
    profile: answers.profile,
    adult_certain: typeof answers.adult_certain === 'boolean' ? answers.adult_certain : undefined,
    answers: (answers.answers ?? {}) as Record<string, unknown>,
    brief: (answers.brief ?? {}) as Record<string, unknown>,
    act: Array.isArray(answers.act) ? (answers.act as string[]) : [],
    observed_only: answers.mode === 'observation',
  });
}

/** What the server refuses: "no indication" where the result does not carry it. */
export function claimsTooMuch(form: Form, answers: Answers): boolean {
  const result = resultOf(form, answers);
  return !!result && answers.identification_stage === 'screened_negative' && answers.worker_judgement !== 'lower'
    && !form.instrument!.unknown.from.includes(result.class);
}

/** The dimension of each indicator that the profile has, for the headings of the matrix. */
export function dimensionOf(instrument: Instrument, code: string, child: boolean): string | undefined {
  const d = instrument.dimensions.find((x) => x.indicators.some((i) => i.code === code && (child ? i.child : i.adult)));
  return d?.id;
}

export const classOf = (instrument: Instrument | undefined, id: string) => instrument?.classes.find((c) => c.id === id);
