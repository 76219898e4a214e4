// What has not been sent, and what came back with the reason. Nothing is
// dropped unless its author says so.
import { t } from '../lang/index.ts';
import { moment } from '../lang/dates.ts';
import { url } from '../api/client.ts';
import { forgetFile, heldRefused, heldWaiting, retryFile, type Held } from '../local/files.ts';
import { flush, forgetReturned, returned, returnedCount, sending, unsent, unsentCount, type Returned } from '../local/sync.ts';
import { sizeOf } from '../ui/files.tsx';
import { put } from '../local/store.ts';
import { Act, Empty, say } from '../ui/index.tsx';

export function UnsentPage() {
  return (
    <div class="stack">
      <h1 tabIndex={-1}>{t('unsent.title')}</h1>
      {returned.value.map((b) => <Back key={b.id} b={b} />)}
      {heldRefused.value.map((h) => <FileBack key={h.id} h={h} />)}
      {unsentCount.value === 0 && returnedCount.value === 0 && <Empty title={t('unsent.none')} />}
      {unsentCount.value > 0 && (
        <>
          <p class="soft">{t('unsent.what')}</p>
          <ul class="list">{unsent.value.map((u) => <li key={u.id} class="form-row"><span><b>{u.title}</b></span><span class="soft small">{moment(u.entry.written_at)}</span></li>)}
            {heldWaiting.value.map((h) => <li key={h.id} class="form-row"><span><b>{t('file')}</b> <a href={url`/cases/${h.stream}?tab=files`}>{h.name}</a></span><span class="soft small num">{sizeOf(h.size)} · {moment(h.at)}</span></li>)}</ul>
          <Act kind="primary" run={flush} disabled={sending.value}>{t('unsent.try')}</Act>
        </>
      )}
    </div>
  );
}

/** A file that the server does not keep: removed, or tried again. */
function FileBack({ h }: { h: Held }) {
  return (
    <article class="box bad stack-s">
      <h2>{t('returned.title', { title: h.name })}</h2>
      <p>{h.refused || t('refused.title')}</p>
      <div class="acts">
        <Act kind="primary" run={async () => { await retryFile(h); await flush(); }}>{t('unsent.try')}</Act>
        <a class="btn" href={url`/cases/${h.stream}?tab=files`}>{t('the.case')}</a>
        <Act run={async () => { await forgetFile(h.id); say(t('returned.dropped')); }}>{t('returned.drop')}</Act>
      </div>
    </article>
  );
}

function Back({ b }: { b: Returned }) {
  const form = b.kind === 'case' ? `/cases/new/${b.entry.form}` : url`/cases/${b.entry.stream}/forms/${b.entry.form}/${b.entry.act === 'submit' ? 'new' : b.entry.record}`;
  return (
    <article class="box bad stack-s">
      <h2>{t('returned.title', { title: b.title })}</h2>
      <p>{b.message || t('refused.title')}</p>
      {b.problems.length > 0 && <ul>{b.problems.map((p) => <li key={p.path}>{p.message}</li>)}</ul>}
      <div class="acts">
        {b.entry.act !== 'strike' && <a class="btn primary" href={form}>{t('returned.mend')}</a>}
        <button type="button" class="btn" onClick={() => {
          void forgetReturned(b.id);
          say(t('returned.dropped'), () => { void put('back', b.id, b); returned.value = [...returned.value, b]; });
        }}>{t('returned.drop')}</button>
      </div>
    </article>
  );
}
