// Administration: users and invitations, organisations and teams, the policy in
// words, why somebody can see something, the state of the content, the audit.
import { useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { call, post, url } from '../api/client.ts';
import type { AdminUser, FormListing, Organisation, Policy as PolicyTable, PolicyRow } from '../api/types.ts';
import { lang, languages, t, word, type Key } from '../lang/index.ts';
import { moment } from '../lang/dates.ts';
import { usePaged } from '../local/paged.ts';
import { useRead } from '../local/reads.ts';
import { go, query } from '../router.ts';
import { may } from '../session.ts';
import { Act, Box, Empty, Line, More, Shown, errorWords, say } from '../ui/index.tsx';
import { useNames } from '../fill/sheet.tsx';

const roles = ['screener', 'case_worker', 'supervisor', 'counsellor', 'lawyer', 'programme_manager', 'statistician', 'administrator', 'auditor'];
const all: { id: string; key: Key; needs: string }[] = [
  { id: 'users', key: 'admin.users', needs: 'admin.users' }, { id: 'organisations', key: 'admin.orgs', needs: 'admin.organisations' },
  { id: 'policy', key: 'admin.policy', needs: 'admin.policy' }, { id: 'why', key: 'admin.why', needs: 'admin.policy' },
  { id: 'content', key: 'admin.content', needs: 'admin.content' }, { id: 'audit', key: 'admin.audit', needs: 'admin.audit' },
];

type Many<T> = T[] | { items: T[] } | undefined;
function items<T>(x: Many<T>): T[] {
  return Array.isArray(x) ? x : x?.items ?? [];
}

export function AdminPage() {
  const parts = all.filter((p) => may.value.has(p.needs));
  const part = query.value.get('part') ?? parts[0]?.id;
  return (
    <>
      <div class="top"><h1 tabIndex={-1}>{t('nav.admin')}</h1></div>
      <nav class="tabs" aria-label={t('nav.admin')}>{parts.map((p) => <a key={p.id} href={`/admin?part=${p.id}`} aria-current={p.id === part ? 'page' : undefined}>{t(p.key)}</a>)}</nav>
      <div class="tab-body">
        {part === 'users' && <Users />}{part === 'organisations' && <Organisations />}{part === 'policy' && <Policy />}
        {part === 'why' && <Why />}{part === 'content' && <Content />}{part === 'audit' && <Audit />}
      </div>
    </>
  );
}

function Users() {
  const role = query.value.get('role') ?? '';
  const state = query.value.get('state') ?? '';
  const wanted = new URLSearchParams({ ...(role && { role }), ...(state && { state }) });
  const list = usePaged<AdminUser>(`/api/admin/users?${wanted}`);
  const choose = (name: string) => (e: Event) => {
    const next = new URLSearchParams(wanted);
    const v = (e.currentTarget as HTMLSelectElement).value;
    if (v) next.set(name, v); else next.delete(name);
    go(`/admin?part=users${next.size ? `&${next}` : ''}`, true);
  };
  // One press is enough, and one to take it back: rows of a list are easily missed by one.
  const switchUser = async (u: AdminUser, on: boolean): Promise<void> => {
    await call('PATCH', url`/api/admin/users/${u.id}`, { state: on ? 'active' : 'disabled' });
    list.reload();
    say(t(on ? 'admin.enabled' : 'admin.disabled', { name: u.name }), () => { switchUser(u, !on).catch((e: Error) => say(errorWords(e).title)); });
  };
  const read = list.read;
  const [made, setMade] = useState<{ link: string }>();
  const [form, setForm] = useState({ name: '', login: '', role: 'case_worker' });
  return (
    <div class="stack-l">
      <div class="filters" role="group" aria-label={t('filter')}>
        <label>{t('admin.role')}<select value={role} onChange={choose('role')}><option value="">{t('any')}</option>{roles.map((r) => <option key={r} value={r}>{word(`role.${r}`, r)}</option>)}</select></label>
        <label>{t('admin.state')}<select value={state} onChange={choose('state')}><option value="">{t('any')}</option>{['active', 'disabled'].map((s) => <option key={s} value={s}>{word(`userstate.${s}`, s)}</option>)}</select></label>
      </div>
      <Shown of={read}>{() => list.items.length === 0 ? <Empty title={t('admin.users.none')}><p>{t('admin.users.none.next')}</p></Empty> : (
        <div><div class="scroll" tabIndex={0} role="region" aria-label={t('admin.users')}><table class="stackable">
          <thead><tr><th scope="col">{t('admin.name')}</th><th scope="col">{t('signin.login')}</th><th scope="col">{t('admin.roles')}</th><th scope="col">{t('admin.state')}</th><th scope="col">{t('admin.do')}</th></tr></thead>
          <tbody>{list.items.map((u) => {
            const off = u.state === 'disabled' || u.state === 'locked';
            return (
              <tr key={u.id}><th scope="row">{u.name}</th><td>{u.login}</td><td>{(u.roles ?? []).map((r) => word(`role.${r}`, r)).join(', ')}</td><td>{word(`userstate.${u.state ?? 'active'}`, u.state ?? '')}</td>
                <td><Act run={async () => { await switchUser(u, off); }}>{t(off ? 'admin.enable' : 'admin.disable')}<span class="visually-hidden"> {u.name}</span></Act></td></tr>
            );
          })}</tbody>
        </table></div><More n={list.items.length} next={list.next} load={list.more} /></div>
      )}</Shown>
      <section class="panel stack measure"><h2>{t('admin.invite')}</h2><p class="soft">{t('admin.invite.why')}</p>
        <Line label={t('admin.name')}>{(id) => <input id={id} type="text" value={form.name} onInput={(e) => setForm({ ...form, name: e.currentTarget.value })} />}</Line>
        <Line label={t('signin.login')}>{(id) => <input id={id} type="text" autocapitalize="none" value={form.login} onInput={(e) => setForm({ ...form, login: e.currentTarget.value })} />}</Line>
        <Line label={t('admin.role')}>{(id) => <select id={id} value={form.role} onChange={(e) => setForm({ ...form, role: e.currentTarget.value })}>{roles.map((r) => <option key={r} value={r}>{word(`role.${r}`, r)}</option>)}</select>}</Line>
        {made && <Box kind="good"><p>{t('admin.invite.link')}</p><p><code>{made.link}</code></p></Box>}
        <div><Act kind="primary" disabled={!form.login.trim()} run={async () => {
          const r = await post<{ token?: string; link?: string }>('/api/admin/invitations', { name: form.name.trim(), login: form.login.trim(), roles: [form.role] });
          setMade({ link: r.link ?? `${location.origin}/invitation#${r.token ?? ''}` });
          list.reload();
        }}>{t('admin.invite.go')}</Act></div>
      </section>
    </div>
  );
}

function Organisations() {
  const orgs = usePaged<Organisation>('/api/admin/organisations');
  const teams = usePaged<{ id: string; name: string; supervisor?: string }>('/api/admin/teams');
  const names = useNames('');
  const [name, setName] = useState('');
  const [team, setTeam] = useState('');
  return (
    <div class="two">
      <section class="stack"><h2>{t('admin.orgs')}</h2>
        <Shown of={orgs.read}>{() => <><ul class="list">{orgs.items.map((o) => <li key={o.id}><b>{o.name}</b> <span class="soft small">{[o.kind && word(`org.${o.kind}`, o.kind), o.country].filter(Boolean).join(' · ')}</span></li>)}</ul><More n={orgs.items.length} next={orgs.next} load={orgs.more} /></>}</Shown>
        <Line label={t('admin.org.new')}>{(id) => <input id={id} type="text" value={name} onInput={(e) => setName(e.currentTarget.value)} />}</Line>
        <div><Act disabled={!name.trim()} run={async () => { await post('/api/admin/organisations', { name: name.trim(), kind: 'ngo' }); setName(''); orgs.reload(); say(t('admin.added')); }}>{t('add')}</Act></div>
      </section>
      <section class="stack"><h2>{t('admin.teams')}</h2>
        <Shown of={teams.read}>{() => teams.items.length === 0 ? <Empty title={t('admin.teams.none')} /> : <><ul class="list">{teams.items.map((x) => <li key={x.id}><b>{x.name}</b> <span class="soft small">{x.supervisor && [t('around.supervisor'), names('user', x.supervisor)].filter(Boolean).join(': ')}</span></li>)}</ul><More n={teams.items.length} next={teams.next} load={teams.more} /></>}</Shown>
        <Line label={t('admin.team.new')}>{(id) => <input id={id} type="text" value={team} onInput={(e) => setTeam(e.currentTarget.value)} />}</Line>
        <div><Act disabled={!team.trim()} run={async () => { await post('/api/admin/teams', { name: team.trim() }); setTeam(''); teams.reload(); say(t('admin.added')); }}>{t('add')}</Act></div>
      </section>
    </div>
  );
}

function Policy() {
  const read = useRead<PolicyTable>('/api/admin/policy');
  const [role, setRole] = useState('');
  return (
    <Shown of={read}>{(d) => {
      const list = d.roles?.map((r) => r.id) ?? [...new Set(d.rows.map((r) => r.role))];
      const named = (from: { id: string; text: string }[] | undefined, id: string, kind: string) => from?.find((n) => n.id === id)?.text ?? word(`${kind}.${id}`, id);
      const shown: PolicyRow[] = d.rows.filter((r) => r.role === (role || list[0]));
      return (
        <div class="stack">
          <p class="soft measure">{t('policy.what')}</p>
          {d.always && <ul>{d.always.map((a) => <li key={a}>{a}</li>)}</ul>}
          {d.grid && d.relations && <Grid table={d} roles={list} named={named} />}
          <div class="filters"><label>{t('admin.role')}<select value={role || list[0]} onChange={(e) => setRole(e.currentTarget.value)}>{list.map((r) => <option key={r} value={r}>{named(d.roles, r, 'role')}</option>)}</select></label></div>
          <div class="scroll" tabIndex={0} role="region" aria-label={t('admin.policy')}><table>
            <thead><tr><th scope="col">{t('policy.relation')}</th><th scope="col">{t('policy.action')}</th><th scope="col">{t('policy.tiers')}</th><th scope="col">{t('policy.words')}</th></tr></thead>
            <tbody>{shown.map((r, i) => <tr key={i}><th scope="row">{named(d.relations, r.relation, 'relation')}</th><td>{named(d.actions, r.action, 'did')}</td><td>{(r.tiers ?? []).map((x) => named(d.tiers, x, 'tier')).join(', ')}</td><td>{r.words}</td></tr>)}</tbody>
          </table></div>
        </div>
      );
    }}</Shown>
  );
}

/** What each role may read of a case, in each relation to it. */
function Grid({ table, roles, named }: { table: PolicyTable; roles: string[]; named: (from: { id: string; text: string }[] | undefined, id: string, kind: string) => string }) {
  const cells = new Map((table.grid ?? []).filter((g) => g.kind === 'case').map((g) => [`${g.role}/${g.relation}`, g.read ?? []]));
  const relations = (table.relations ?? []).filter((r) => r.id !== 'none');
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={t('policy.grid')}><table>
      <caption>{t('policy.grid')}</caption>
      <thead><tr><th scope="col">{t('admin.role')}</th>{relations.map((r) => <th scope="col" key={r.id}>{r.text}</th>)}</tr></thead>
      <tbody>{roles.map((role) => <tr key={role}><th scope="row">{named(table.roles, role, 'role')}</th>{relations.map((r) => <td key={r.id}>{(cells.get(`${role}/${r.id}`) ?? []).map((x) => named(table.tiers, x, 'tier')).join(', ') || <span class="faint">–</span>}</td>)}</tr>)}</tbody>
    </table></div>
  );
}

interface WhyAnswer { allowed?: boolean; words?: string; rule?: string; relation?: string; tiers?: string[]; decisions?: { action: string; allowed: boolean; words: string; tiers?: string[] }[] }

function Why() {
  // Who audits without managing users chooses among the colleagues.
  const users = useRead<Many<AdminUser>>(may.value.has('admin.users') ? '/api/admin/users' : '/api/people');
  const [user, setUser] = useState('');
  const [code, setCode] = useState('');
  const [answer, setAnswer] = useState<WhyAnswer>();
  return (
    <div class="stack measure">
      <p class="soft">{t('why.what')}</p>
      <Line label={t('why.user')}>{(id) => <select id={id} value={user} onChange={(e) => setUser(e.currentTarget.value)}><option value="">{t('choose')}</option>{items(users.data).map((u) => <option key={u.id} value={u.id}>{u.name}</option>)}</select>}</Line>
      <Line label={t('why.case')} hint={t('why.case.hint')}>{(id) => <input id={id} type="text" value={code} onInput={(e) => setCode(e.currentTarget.value)} />}</Line>
      <div><Act kind="primary" disabled={!user || !code.trim()} run={async () => setAnswer(await post<WhyAnswer>('/api/admin/policy/why', { user, case: code.trim() }))}>{t('why.go')}</Act></div>
      {answer && (
        <Box kind={answer.allowed ? 'warn' : 'good'}>
          <strong>{t(answer.allowed ? 'why.yes' : 'why.no')}</strong>
          <p>{[answer.words, answer.relation && word(`relation.${answer.relation}`, answer.relation), (answer.tiers ?? []).map((x) => word(`tier.${x}`, x)).join(', ')].filter(Boolean).join(' · ')}</p>
          {answer.decisions && <ul>{answer.decisions.map((x) => <li key={x.action}>{word(`did.${x.action}`, x.action)}: {x.allowed ? t('yes') : t('no')}, {x.words}</li>)}</ul>}
        </Box>
      )}
    </div>
  );
}

interface ContentState {
  forms?: { id: string; title: string; version: number; status?: string; fields?: number }[] | number;
  lists?: unknown[] | number; faults?: { file?: string; line?: number; message: string }[];
  languages?: { language: string; status?: string; covered?: number; total?: number }[];
}

function Content() {
  const read = useRead<ContentState>('/api/admin/content');
  const titles = useRead<FormListing[]>(`/api/forms?lang=${lang.value}`);
  const title = (f: { id: string; title: string }) => titles.data?.find((x) => x.id === f.id)?.title ?? f.title;
  const count = (x: unknown[] | number | undefined) => (Array.isArray(x) ? x.length : x ?? 0);
  return (
    <Shown of={read}>{(d) => (
      <div class="stack">
        <p>{t('content.counts', { forms: count(d.forms), lists: count(d.lists), n: d.faults?.length ?? 0 })}</p>
        {(d.faults ?? []).length > 0 && <Box kind="bad"><ul>{d.faults!.map((f, i) => <li key={i}>{[f.file, f.line].filter(Boolean).join(':')} {f.message}</li>)}</ul></Box>}
        {(d.languages ?? []).length > 0 && <table><caption>{t('content.languages')}</caption><tbody>{d.languages!.map((l) => <tr key={l.language}><th scope="row">{languages.find((x) => x.id === l.language)?.name ?? l.language}</th><td class="n">{l.total ? `${Math.round((100 * (l.covered ?? 0)) / l.total)} %` : ''}</td><td>{word(`content.${l.status}`, l.status ?? '')}</td></tr>)}</tbody></table>}
        {Array.isArray(d.forms) && <table><caption>{t('content.forms')}</caption><tbody>{d.forms.map((f) => <tr key={f.id}><th scope="row">{title(f)}</th><td class="n">{t('content.version', { n: f.version })}</td><td>{f.status ? <span class="tag medium">{word(`content.${f.status}`, f.status)}</span> : ''}</td></tr>)}</tbody></table>}
      </div>
    )}</Shown>
  );
}

function Audit() {
  const list = usePaged<{ at: string; by: string; action: string; on?: string; detail?: Record<string, string> }>('/api/admin/audit');
  const names = useNames('');
  const named = (id: string | undefined) => (id === 'system' ? t('audit.system') : id && (names('user', id) ?? names('org', id)));
  return (
    <Shown of={list.read}>{() => list.items.length === 0 ? <Empty title={t('audit.empty')} /> : (
      <div><div class="scroll" tabIndex={0} role="region" aria-label={t('admin.audit')}><table class="stackable">
        <thead><tr><th scope="col">{t('access.when')}</th><th scope="col">{t('access.who')}</th><th scope="col">{t('access.what')}</th></tr></thead>
        <tbody>{list.items.map((a, i) => <tr key={i}><td class="nowrap num">{moment(a.at)}</td><th scope="row">{named(a.by) ?? <code class="small">{a.by}</code>}</th><td>{word(`did.${a.action}`, a.action)} {a.on && a.on !== a.by && <Extra>{named(a.on) ?? <code class="small">{a.on}</code>}</Extra>}</td></tr>)}</tbody>
      </table></div><More n={list.items.length} next={list.next} load={list.more} /></div>
    )}</Shown>
  );
}

function Extra({ children }: { children: ComponentChildren }) {
  return <span class="soft">{children}</span>;
}
