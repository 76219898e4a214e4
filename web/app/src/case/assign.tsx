// Who works on a case, and changing that.
import { useState } from 'preact/hooks';
import { post, url } from '../api/client.ts';
import type { CasePage, Person } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { useRead } from '../local/reads.ts';
import { uuid } from '../local/uuid.ts';
import { Act, Line, say } from '../ui/index.tsx';

export function AssignCase({ page, done }: { page: CasePage; done: () => void }) {
  const people = useRead<Person[] | { items: Person[] }>('/api/people');
  const [worker, setWorker] = useState(page.assigned.worker_id ?? '');
  const [supervisor, setSupervisor] = useState(page.assigned.supervisor_id ?? '');
  const all = Array.isArray(people.data) ? people.data : people.data?.items ?? [];
  const pick = (label: string, value: string, set: (v: string) => void, role: string) => (
    <Line label={label}>{(id) => (
      <select id={id} value={value} onChange={(e) => set(e.currentTarget.value)}>
        <option value="">{t('choose')}</option>
        {all.filter((p) => !p.roles || p.roles.includes(role) || p.id === value).map((p) => <option value={p.id} key={p.id}>{p.name}</option>)}
      </select>
    )}</Line>
  );
  const changed = worker !== (page.assigned.worker_id ?? '') || supervisor !== (page.assigned.supervisor_id ?? '');
  return (
    <section class="panel stack-s">
      <h2>{t('assign.title')}</h2>
      {pick(t('around.worker'), worker, setWorker, 'case_worker')}
      {pick(t('around.supervisor'), supervisor, setSupervisor, 'supervisor')}
      <div class="acts"><Act kind="primary" disabled={!changed || !worker} run={async () => {
        await post(url`/api/cases/${page.id}/assign`, { worker, ...(supervisor ? { supervisor } : {}), id: uuid() });
        say(t('assign.done'));
        done();
      }}>{t('assign.go')}</Act></div>
    </section>
  );
}
