// The form logic of the staff app: everything a page needs to show, check and
// amend a form, without a single element of a page in it.
//
//   const model = new Model(description, lists)
//   const { answers, from } = prefill(model, env)
//   const { problems, irrelevant } = check(model, answers, env)

export { ageOn, isChild } from "./age";
export { applyChanges, diffAnswers } from "./amend";
export { check, type Checked, checkPartial, missing, type Place, placeAt, rootPlace, Run } from "./check";
export { nowText, parseDate } from "./date";
export { Evaluation, maxSteps } from "./eval";
export { type Field, holdsAnswer, isComputed, isContainer, type Lists, Model, refKind } from "./model";
export { newRow, prefill, type Prefilled } from "./prefill";
export { limits, rowGone, rowId } from "./shape";
export type * from "./types";
export { isEmpty } from "./value";
