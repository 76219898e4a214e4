// Breaking the glass: opening a case that is not yours because somebody is in
// danger. A reason is asked, it ends by itself, two people are told at once.
import { useState } from 'preact/hooks';
import { post, url } from '../api/client.ts';
import { t } from '../lang/index.ts';
import { may } from '../session.ts';
import { Act, Box, Dialog, Line } from '../ui/index.tsx';

export function BreakGlass({ caseId, done }: { caseId: string; done: () => void }) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  if (!may.value.has('break_glass')) return null;
  return (
    <>
      <p><button type="button" class="btn danger" onClick={() => setOpen(true)}>{t('glass.open')}</button></p>
      <Dialog title={t('glass.title')} open={open} onClose={() => setOpen(false)}>
        <div class="stack">
          <Box kind="warn"><p>{t('glass.what')}</p></Box>
          <Line label={t('glass.reason')} hint={t('glass.reason.hint')}>{(id) => <textarea id={id} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />}</Line>
          <div class="acts">
            <Act kind="danger" disabled={reason.trim().length < 10} run={async () => {
              await post(url`/api/cases/${caseId}/break-glass`, { reason: reason.trim() });
              setOpen(false);
              done();
            }}>{t('glass.go')}</Act>
            <button type="button" class="btn" onClick={() => setOpen(false)}>{t('cancel')}</button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
