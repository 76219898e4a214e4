// "Show again that it is you": asked by the server before exports, unmasking
// and administration. The call that needed it goes on afterwards by itself.
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { hooks, post } from '../api/client.ts';
import { t } from '../lang/index.ts';
import { Dialog, ErrorNote, Line } from './index.tsx';

const asking = signal<((shown: boolean) => void) | undefined>(undefined);

hooks.stepUp = () => new Promise((resolve) => { asking.value = resolve; });

export function StepUp() {
  const [error, setError] = useState<Error>();
  const done = (shown: boolean) => {
    asking.value?.(shown);
    asking.value = undefined;
    setError(undefined);
  };
  return (
    <Dialog title={t('stepup.title')} open={asking.value !== undefined} onClose={() => done(false)}>
      <form class="stack" onSubmit={(e) => {
        e.preventDefault();
        const secret = new FormData(e.currentTarget as HTMLFormElement).get('secret') as string;
        post('/api/step-up', /^\d{6}$/.test(secret) ? { code: secret } : { password: secret }).then(() => done(true), setError);
      }}>
        <p class="soft">{t('stepup.why')}</p>
        {error && <ErrorNote error={error} />}
        <Line label={t('stepup.secret')}>{(id) => <input id={id} name="secret" type="password" autocomplete="current-password" required />}</Line>
        <div class="acts">
          <button class="btn primary">{t('stepup.go')}</button>
          <button type="button" class="btn" onClick={() => done(false)}>{t('cancel')}</button>
        </div>
      </form>
    </Dialog>
  );
}
