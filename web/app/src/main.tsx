// The start of the app: who is here, which page, and the few things that run
// beside the pages (sending, the minute's beat, the service worker).
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ComponentType } from 'preact';
import { beat } from './lang/dates.ts';
import { guessLang, setLang, t } from './lang/index.ts';
import { changed } from './local/reads.ts';
import { filesSent } from './local/files.ts';
import { arrived, flush, unsentCount } from './local/sync.ts';
import { listen, path, segments, setTitle } from './router.ts';
import { me, refresh, start, state } from './session.ts';
import { MorePage, Shell, listenForFind } from './shell.tsx';
import { Bones, Empty, ErrorNote, say } from './ui/index.tsx';
import { StepUp } from './ui/stepup.tsx';
import { listenForPrint } from './ui/print.tsx';
import { SignIn } from './pages/signin.tsx';
import { TodayPage } from './pages/today.tsx';
import { CasePageView } from './case/page.tsx';
import { CasesPage } from './pages/cases.tsx';
import { FindPage } from './pages/find.tsx';

/** Pages that the first minute does not need come when they are opened. */
function Later({ load, props = {} }: { load: () => Promise<ComponentType<any>>; props?: Record<string, unknown> }) {
  const [Page, set] = useState<{ of: ComponentType<any> }>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    load().then((of) => set({ of }), setError);
  }, []);
  if (error) return <ErrorNote error={error} retry={() => location.reload()} />;
  return Page ? <Page.of {...props} /> : <Bones kind="page" />;
}

function Router() {
  const [a, b, c, d, e] = segments.value;
  const key = path.value.split('?')[0];
  switch (a) {
    case undefined: return <TodayPage />;
    case 'find': return <FindPage />;
    case 'cases':
      if (!b) return <CasesPage />;
      if (b === 'new' && c) return <Later key={key} load={() => import('./fill/page.tsx').then((m) => m.FillPage)} props={{ form: c }} />;
      if (c === 'forms' && d) return <Later key={key} load={() => import('./fill/page.tsx').then((m) => m.FillPage)} props={{ caseId: b, form: d, record: e === 'new' ? '' : e ?? '' }} />;
      if (c === 'do' && d) return <Later key={key} load={() => import('./fill/do.tsx').then((m) => m.DoPage)} props={{ caseId: b, form: d, record: e ?? '' }} />;
      if (c === 'records' && d) return <Later key={key} load={() => import('./case/record.tsx').then((m) => m.RecordPage)} props={{ caseId: b, record: d }} />;
      if (!c) return <CasePageView key={b} id={b} />;
      break;
    case 'inbox': return <Later key="inbox" load={() => import('./pages/inbox.tsx').then((m) => m.InboxPage)} />;
    case 'team': return <Later key="team" load={() => import('./pages/team.tsx').then((m) => m.TeamPage)} />;
    case 'register': return <Later key="register" load={() => import('./pages/register.tsx').then((m) => m.RegisterPage)} />;
    case 'admin': return <Later key="admin" load={() => import('./pages/admin.tsx').then((m) => m.AdminPage)} />;
    case 'account': return <Later key="account" load={() => import('./pages/account.tsx').then((m) => m.AccountPage)} />;
    case 'unsent': return <Later key="unsent" load={() => import('./pages/unsent.tsx').then((m) => m.UnsentPage)} />;
    case 'more': return <MorePage />;
  }
  return <div class="stack"><h1 tabIndex={-1}>{t('absent.title')}</h1><Empty title={t('error.absent')}><a href="/">{t('nav.today')}</a></Empty></div>;
}

const titles: Record<string, () => string> = {
  '': () => t('nav.today'), find: () => t('nav.find'), cases: () => t('nav.cases'), inbox: () => t('nav.inbox'), team: () => t('nav.team'),
  register: () => t('nav.register'), admin: () => t('nav.admin'), account: () => t('nav.account'), unsent: () => t('unsent.title'), more: () => t('nav.more'),
};

function App() {
  const first = segments.value[0] ?? '';
  const deep = segments.value.length > 1;
  useEffect(() => {
    if (!deep) setTitle(state.value === 'in' ? titles[first]?.() ?? '' : '');
  });
  if (state.value === 'starting') return null;
  if (state.value === 'out' || first === 'invitation') return <SignIn />;
  return <><Shell key={me.value?.user.id}><Router /></Shell><StepUp /></>;
}

arrived.subscribe((got) => {
  if (!got) return;
  changed.value++;
  if (got.code) say(t('sent.case', { code: got.code }));
  void refresh();
});

filesSent.subscribe((n) => { if (n > 0) changed.value++; });

// A dropped connection comes back when the device says so, or is tried again.
addEventListener('online', () => void flush());
document.addEventListener('visibilitychange', () => { if (!document.hidden) { void flush(); beat(); } });
setInterval(() => {
  beat();
  void refresh();
}, 60_000);
setInterval(() => { if (unsentCount.value > 0) void flush(); }, 15_000);

listen();
listenForPrint();
listenForFind();
void setLang(guessLang(navigator.languages)).then(start);
render(<App />, document.getElementById('app')!);

if ('serviceWorker' in navigator) void navigator.serviceWorker.register('/sw.js').catch(() => undefined);
