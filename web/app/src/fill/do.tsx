// A task's address: looks at the case, then goes on to the very form that does it.
import { useEffect } from 'preact/hooks';
import { url } from '../api/client.ts';
import type { CasePage } from '../api/types.ts';
import { useRead } from '../local/reads.ts';
import { go } from '../router.ts';
import { Shown, Bones } from '../ui/index.tsx';
import { formPlace } from './place.ts';

export function DoPage({ caseId, form, record }: { caseId: string; form: string; record: string }) {
  const read = useRead<CasePage>(url`/api/cases/${caseId}`);
  useEffect(() => { if (read.data) go(formPlace(read.data, form, record), true); }, [read.data]);
  return <Shown of={read} kind="page">{() => <Bones kind="page" />}</Shown>;
}
