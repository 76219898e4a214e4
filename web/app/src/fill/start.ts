// What a form is opened with from elsewhere: typed in the find box, kept in memory only.
import type { Answers } from '../api/types.ts';

let start: Answers | undefined;
export function setFirstContact(a: Answers): void { start = a; }
export function takeFirstContact(): Answers {
  const a = start ?? {};
  start = undefined;
  return a;
}
