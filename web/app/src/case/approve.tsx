// Approving or returning one record, at exactly the state that was shown.
import { useState } from 'preact/hooks';
import { post, url } from '../api/client.ts';
import { t, word } from '../lang/index.ts';
import { uuid } from '../local/uuid.ts';
import { Act, Line, say } from '../ui/index.tsx';

export const approvalWord = (state: string): string => state === 'pending' ? t('approval.state.pending') : word(`approval.${state}`, state);

export function Decide({ caseId, record, entry, done }: { caseId: string; record: string; entry: string; done: () => void }) {
  const [remark, setRemark] = useState('');
  const send = (decision: string) => async () => {
    await post(url`/api/cases/${caseId}/approve`, { record, entry, decision, remark: remark.trim(), id: uuid() });
    say(t(decision === 'approved' ? 'approval.done' : 'approval.returned.done'));
    done();
  };
  return (
    <div class="stack-s">
      <Line label={t('remark')} hint={t('remark.hint')}>{(id) => <textarea id={id} value={remark} onInput={(e) => setRemark(e.currentTarget.value)} />}</Line>
      <div class="acts"><Act kind="primary" run={send('approved')}>{t('approve')}</Act><Act disabled={remark.trim() === ''} run={send('returned')}>{t('return')}</Act></div>
    </div>
  );
}
