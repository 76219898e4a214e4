// My account: language, second factor, passkeys, sessions, signing out.
import { encode } from 'uqr';
import { useState } from 'preact/hooks';
import { call, post, url } from '../api/client.ts';
import type { PasskeyLine, SessionLine, Ways } from '../api/types.ts';
import { t, word } from '../lang/index.ts';
import { moment } from '../lang/dates.ts';
import { useRead } from '../local/reads.ts';
import { flush, returnedCount, unsentCount } from '../local/sync.ts';
import { me, signOut } from '../session.ts';
import { Langs } from '../shell.tsx';
import { Act, Box, Dialog, Line, Shown, say } from '../ui/index.tsx';
import { addPasskey, passkeyAvailable } from '../ui/passkeys.ts';

export function AccountPage() {
  const who = me.value;
  const sessions = useRead<SessionLine[] | { items: SessionLine[] }>('/api/me/sessions');
  return (
    <div class="stack-l measure">
      <div><h1 tabIndex={-1}>{t('nav.account')}</h1><p class="soft">{[who?.user.name, who?.user.login, who?.user.roles.map((r) => word(`role.${r}`, r)).join(', '), who?.org.name].filter(Boolean).join(' · ')}</p></div>
      <section class="panel"><h2>{t('lang.choose')}</h2><Langs /></section>
      <section class="panel stack"><h2>{t('totp.title')}</h2><p class="soft">{t('totp.why')}</p><Totp /></section>
      <Passkeys />
      <section class="panel stack"><h2>{t('sessions.title')}</h2>
        <Shown of={sessions}>{(data) => (
          <ul class="list">{(Array.isArray(data) ? data : data.items ?? []).map((s) => (
            <li key={s.id} class="form-row"><span>{s.device || t('sessions.device')} {s.current && <span class="tag low">{t('sessions.this')}</span>}<span class="soft small"> {moment(s.last ?? s.started)}</span></span>
              {!s.current && <Act run={async () => { await call('DELETE', url`/api/me/sessions/${s.id}`); sessions.reload(); }}>{t('sessions.end')}</Act>}</li>
          ))}</ul>
        )}</Shown>
      </section>
      <section class="panel stack"><h2>{t('signout')}</h2><p class="soft">{t('signout.what')}</p><Leave /></section>
    </div>
  );
}

/** Also where this browser has no passkeys: the one of a stolen phone must go. */
/** Offered where the server has them, which needs the address of the site. */
function Passkeys() {
  const ways = useRead<Ways>('/api/sign-in').data;
  return ways?.passkeys ? <PasskeyList /> : null;
}

function PasskeyList() {
  const keys = useRead<{ items: PasskeyLine[] }>('/api/me/passkeys');
  return (
    <section class="panel stack"><h2>{t('passkey.title')}</h2><p class="soft">{t('passkey.why')}</p>
      <Shown of={keys}>{(data) => data.items.length > 0 && (
        <ul class="list">{data.items.map((k) => (
          <li key={k.id} class="form-row"><span>{k.name}<span class="soft small"> {t('passkey.since', { at: moment(k.created_at) })}</span></span>
            <Act run={async () => { await call('DELETE', url`/api/me/passkeys/${k.id}`); keys.reload(); }}>{t('passkey.remove')}</Act></li>
        ))}</ul>
      )}</Shown>
      {passkeyAvailable() && <div><Act run={async () => { await addPasskey(t('passkey.this')); keys.reload(); say(t('passkey.done')); }}>{t('passkey.add')}</Act></div>}
    </section>
  );
}

function Leave() {
  const [asking, setAsking] = useState(false);
  const waiting = unsentCount.value + returnedCount.value;
  return (
    <>
      <div><button type="button" class="btn danger" onClick={() => (waiting > 0 ? setAsking(true) : void signOut())}>{t('signout')}</button></div>
      <Dialog title={t('signout.unsent', { n: waiting })} open={asking} onClose={() => setAsking(false)}>
        <div class="stack">
          <p>{t('signout.unsent.what')}</p>
          <div class="acts">
            <Act kind="primary" run={async () => { await flush(); if (unsentCount.value + returnedCount.value === 0) await signOut(); }}>{t('signout.send')}</Act>
            <button type="button" class="btn" onClick={() => setAsking(false)}>{t('signout.stay')}</button>
            <button type="button" class="btn danger" onClick={() => void signOut()}>{t('signout.anyway')}</button>
          </div>
        </div>
      </Dialog>
    </>
  );
}

interface TotpStart { secret?: string; uri?: string }

/** Drawn here: the secret goes to no other host. */
function Qr({ text }: { text: string }) {
  const { data, size } = encode(text, { border: 2 });
  const path = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return <svg class="qr" role="img" aria-label={t('totp.qr')} viewBox={`0 0 ${size} ${size}`}><path d={path} fill="#000000" /></svg>;
}

function Totp() {
  const [begun, setBegun] = useState<TotpStart>();
  const [done, setDone] = useState(false);
  const [code, setCode] = useState('');
  if (done) return <Box kind="good"><p>{t('totp.done')}</p></Box>;
  if (!begun) return <div><Act run={async () => setBegun(await post<TotpStart>('/api/me/totp'))}>{t('totp.begin')}</Act></div>;
  return (
    <div class="stack">
      {begun.uri && <Qr text={begun.uri} />}
      {begun.secret && <p>{t('totp.secret')} <code>{begun.secret.replace(/(.{4})/g, '$1 ')}</code></p>}
      <Line label={t('signin.code')}>{(id) => <input id={id} type="text" inputMode="numeric" autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} />}</Line>
      <div><Act kind="primary" disabled={!/^\d{6}$/.test(code.trim())} run={async () => { await post('/api/me/totp', { code: code.trim() }); setDone(true); }}>{t('totp.confirm')}</Act></div>
    </div>
  );
}
