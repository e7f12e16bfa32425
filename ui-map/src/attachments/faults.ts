import { RequestFailure } from '../api/client';
import type { Lang } from '../api/types';
import { formatSize } from '../format/files';
import type { Limits } from './api';
import type { AttachmentKey, Say } from './texts';

/** Why a file is not added: known before it is sent, or what became of sending it. */
export type Fault = { kind: 'tooLarge' | 'empty' | 'tooMany' } | { kind: 'refused'; error: unknown };

/** What speaks against a file, whatever else there is. Of what kind it is the server says, who looks into it. */
export function faultOf({ size }: File, { bytes }: Limits): Fault | null {
  if (size === 0) return { kind: 'empty' };
  return size > bytes ? { kind: 'tooLarge' } : null;
}

const TYPE = 'urn:problem-type:lindero:';
const REFUSALS: Record<string, AttachmentKey> = {
  'attachment-too-large': 'tooLarge',
  'payload-too-large': 'tooLarge',
  'attachment-type': 'wrongType',
  'invalid-attachment': 'broken',
  'too-many-attachments': 'tooMany',
  'unauthorized': 'notAllowed',
  'forbidden': 'notAllowed',
  'too-many-requests': 'tooFast',
};

function keyOf(fault: Fault): AttachmentKey {
  if (fault.kind !== 'refused') return fault.kind;
  const type = fault.error instanceof RequestFailure ? fault.error.problem?.type : undefined;
  return REFUSALS[type?.replace(TYPE, '') ?? ''] ?? 'other';
}

/** The fault in words that name the file. `detail` is what is to be said of an error that has no words of ours. */
export function faultText(say: Say, lang: Lang, fault: Fault, { name }: File, limits: Limits, detail: (error: unknown) => string): string {
  const key = keyOf(fault);
  return say(key, {
    name,
    most: key === 'tooLarge' ? formatSize(limits.bytes, lang) : limits.attachments,
    megapixels: Math.floor(limits.pixels / 1e6),
    detail: fault.kind === 'refused' && key === 'other' ? detail(fault.error) : '',
  });
}
