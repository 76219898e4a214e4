// Passkeys: the browser's own ceremony between two calls to the server. The
// server speaks the WebAuthn JSON of the standard (section 5.1.9/5.1.10);
// where the browser cannot read it by itself, this does.
import { post } from '../api/client.ts';
import type { SignedIn } from '../api/types.ts';

export const passkeyAvailable = (): boolean => typeof PublicKeyCredential !== 'undefined';

interface Options { publicKey?: Record<string, unknown>; challenge?: string; [k: string]: unknown }

const bytes = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const text = (b: ArrayBuffer | null): string =>
  b ? btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '') : '';

function decode(o: Options): Record<string, any> {
  const p = { ...(o.publicKey ?? o) } as Record<string, any>;
  p.challenge = bytes(p.challenge);
  if (p.user) p.user = { ...p.user, id: bytes(p.user.id) };
  for (const list of ['allowCredentials', 'excludeCredentials']) {
    if (p[list]) p[list] = p[list].map((c: { id: string }) => ({ ...c, id: bytes(c.id) }));
  }
  return p;
}

function encode(c: PublicKeyCredential): unknown {
  const r = c.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  return {
    id: c.id, rawId: text(c.rawId), type: c.type, authenticatorAttachment: c.authenticatorAttachment,
    clientExtensionResults: c.getClientExtensionResults(),
    response: r.attestationObject
      ? { clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject), transports: r.getTransports?.() ?? [] }
      : { clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData), signature: text(r.signature), userHandle: text(r.userHandle) },
  };
}

export async function signInWithPasskey(): Promise<SignedIn> {
  const options = decode(await post<Options>('/api/sign-in/passkey/begin'));
  const got = await navigator.credentials.get({ publicKey: options as unknown as PublicKeyCredentialRequestOptions });
  return post<SignedIn>('/api/sign-in/passkey/finish', encode(got as PublicKeyCredential));
}

export async function addPasskey(name: string): Promise<void> {
  const options = decode(await post<Options>('/api/me/passkeys/begin', { name }));
  const made = await navigator.credentials.create({ publicKey: options as unknown as PublicKeyCredentialCreationOptions });
  await post('/api/me/passkeys/finish', encode(made as PublicKeyCredential));
}
