// Signing in: password, second factor, passkey; and accepting an invitation.
// The invitation's token stands behind the # of its address, which no server log sees.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, get, post } from '../api/client.ts';
import type { Me, SignedIn, Ways } from '../api/types.ts';
import { t } from '../lang/index.ts';
import { go, segments } from '../router.ts';
import { endedMeanwhile, welcome } from '../session.ts';
import { Langs, Logo } from '../shell.tsx';
import { Box, Line, errorWords } from '../ui/index.tsx';
import { passkeyAvailable, signInWithPasskey } from '../ui/passkeys.ts';

async function enter(answer: SignedIn): Promise<'totp' | undefined> {
  if (answer.next === 'totp') return 'totp';
  await welcome(answer.me?.user ? answer.me : await get<Me>('/api/me'));
  return undefined;
}

/** What single sign-on, a page of the server's, has to say when it leads back. */
function signOnError() {
  const said = /^#sign-on=(refused|down)$/.exec(location.hash)?.[1];
  if (said === undefined) return undefined;
  history.replaceState(null, '', location.pathname);
  return t(said === 'down' ? 'signin.sso.down' : 'signin.sso.refused');
}

export function SignIn() {
  // Single sign-on comes back to /totp where a code is still asked.
  const [step, setStep] = useState<'password' | 'totp'>(segments.value[0] === 'totp' ? 'totp' : 'password');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | undefined>(signOnError);
  const [ways, setWays] = useState<Ways>({});
  const invited = segments.value[0] === 'invitation';
  useEffect(() => { get<Ways>('/api/sign-in').then(setWays, () => undefined); }, []);

  const attempt = (work: () => Promise<SignedIn>) => async () => {
    setBusy(true);
    setError(undefined);
    try {
      if ((await enter(await work())) === 'totp') setStep('totp');
      else if (invited) { history.replaceState(null, '', '/'); location.reload(); }
      else if (segments.value[0] === 'totp') go('/', true);
    } catch (e) {
      const wrong = e instanceof ApiError && (e.status === 401 || e.status === 403 || e.status === 422 || e.status === 400);
      setError(wrong ? t(invited ? 'invite.wrong' : step === 'totp' ? 'signin.code.wrong' : 'signin.wrong') : errorWords(e as Error).title);
    } finally {
      setBusy(false);
    }
  };
  const submit = (work: (f: FormData) => Promise<SignedIn>) => (e: Event) => {
    e.preventDefault();
    const f = new FormData(e.currentTarget as HTMLFormElement);
    void attempt(() => work(f))();
  };

  return (
    <main class="sign">
      <div class="sign-card stack">
        <div>
          <div class="brand"><Logo />Banyan</div>
          <h1 tabIndex={-1}>{t(invited ? 'invite.title' : step === 'totp' ? 'signin.code.title' : 'signin.title')}</h1>
        </div>
        {endedMeanwhile.value && <Box kind="warn"><p>{t('signin.ended')}</p></Box>}
        {error && <Box kind="bad" alert><p>{error}</p></Box>}
        {invited ? (
          <form onSubmit={submit((f) => post('/api/invitations/accept', { token: location.hash.slice(1), name: f.get('name'), password: f.get('password') }))}>
            <Line label={t('invite.name')}>{(id) => <input id={id} name="name" type="text" autocomplete="name" required />}</Line>
            <Line label={t('invite.password')} hint={t('invite.password.hint')}>{(id) => <input id={id} name="password" type="password" autocomplete="new-password" minLength={12} required />}</Line>
            <button class="btn primary" disabled={busy}>{t('invite.go')}</button>
          </form>
        ) : step === 'totp' ? (
          <form key="totp" onSubmit={submit((f) => post('/api/sign-in/totp', { code: String(f.get('code')).replace(/\s/g, '') }))}>
            <Line label={t('signin.code')} hint={t('signin.code.hint')}>{(id) => <input id={id} name="code" type="text" inputMode="numeric" autocomplete="one-time-code" pattern="[0-9 ]{6,7}" required autofocus />}</Line>
            <div class="acts"><button class="btn primary" disabled={busy}>{t('signin.go')}</button><button type="button" class="btn" onClick={() => { setStep('password'); setError(undefined); go('/', true); }}>{t('signin.again')}</button></div>
          </form>
        ) : (
          <form key="password" onSubmit={submit((f) => post('/api/sign-in', { login: String(f.get('login')).trim(), password: f.get('password') }))}>
            <Line label={t('signin.login')}>{(id) => <input id={id} name="login" type="text" autocomplete="username" autocapitalize="none" spellcheck={false} required />}</Line>
            <Line label={t('signin.password')}>{(id) => <input id={id} name="password" type="password" autocomplete="current-password" required />}</Line>
            <button class="btn primary" disabled={busy}>{t('signin.go')}</button>
          </form>
        )}
        {!invited && step === 'password' && ways.single_sign_on && <a class="btn" href="/api/sign-in/oidc">{t('signin.sso', { name: ways.single_sign_on })}</a>}
        {!invited && step === 'password' && passkeyAvailable() && ways.passkeys !== false && (
          <button type="button" class="btn" disabled={busy} onClick={attempt(signInWithPasskey)}>{t('signin.passkey')}</button>
        )}
        <Langs />
      </div>
    </main>
  );
}
