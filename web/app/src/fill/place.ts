// Where a form is filled in for a case: a task names a form and perhaps a
// record, and whether that means mending the record, taking up the one record
// there can be, or writing a new one depends on what the case has.
import type { CasePage } from '../api/types.ts';
import { url } from '../api/client.ts';

export function formPlace(page: CasePage, form: string, record?: string): string {
  const state = page.forms.find((f) => f.form === form);
  const alive = (state?.records ?? []).filter((r) => !r.struck);
  const named = alive.find((r) => r.record === record);
  const unfinished = (r: (typeof alive)[number]) => r.missing > 0 || r.disputes > 0 || r.approval === 'returned';
  const mend = named && unfinished(named) ? named : state?.can_add ? undefined : named ?? alive[0];
  return url`/cases/${page.id}/forms/${form}/${mend?.record ?? 'new'}`;
}
