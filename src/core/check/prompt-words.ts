// Words by which a prompt is told to have a role, an end and an error strategy. They are meant to miss rather than to
// nag: one word of a kind, anywhere, is enough, and prompts that are not in English are not judged.

const english = /\b(?:the|you|your|and|when|with|for)\b/i;

const roles: readonly RegExp[] = [
  /\byou(?:'re| are)\b/i,
  /\byour (?:\w+ )?(?:job|task|role|goal|work|purpose|aim)\b/i,
  /\b(?:act|work|serve) as\b/i,
  /\byou (?!can\b|may\b|must\b|should\b|have\b|do\b|need\b|want\b|get\b|see\b|know\b|will be\b|like\b)[a-z]+/i,
  /\b(?:assistant|agent|clerk|desk|bot) (?:for|of|that|who)\b/i,
];

/** A first sentence of at least five words that begins like an order: `Answer the e-mails of a small shop.` */
const order =
  /^\W*(?!(?:be|use|always|never|do|don't|please|when|if|note|keep|only|avoid|remember|make sure|respond|reply)\b)\p{L}+(?:[ ,]+[^\s.!?]+){4}/iu;

const ends =
  /\b(?:stop|ask|end with|ends?|finish(?:ed)?|done|complete[ds]?|until|escalat\w+|hand\w* (?:it )?over|give up|say so|confirm\w*|check with|approv\w+|human|person|people|colleagues?|staff|supervisor|guess\w*|(?:not sure|unsure|unclear|missing))\b/i;

const failures =
  /\b(?:fail\w*|errors?|wrong|refus\w*|den(?:y|ied)|reject\w*|unavailable|cannot|can't|not (?:be )?found|retr(?:y|ies)|again|problems?|time[sd]? ?out)\b/i;

export interface PromptWords {
  readonly role: boolean;
  readonly end: boolean;
  readonly failure: boolean;
}

/** `null`: it is in a language that is not judged. */
export function promptWords(text: string): PromptWords | null {
  if (!english.test(text)) return null;
  return {
    role: order.test(text) || roles.some((pattern) => pattern.test(text)),
    end: ends.test(text),
    failure: failures.test(text),
  };
}

/** What its author meant to fill in. */
export const placeholder: RegExp =
  /\b(?:TODO|FIXME|TBD|XXX)\b|lorem ipsum|\[(?:insert|your|the|company|product|customer|agent|name)\b[^\]\n]{0,40}\]|<(?:insert|your)\b[^>\n]{0,40}>/;

/** Keys by the forms that their makers give them, and signed tokens (JWT, RFC 7519): nothing else may stop a start. */
export const secretLike: RegExp =
  /\bsk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bxox[abprs]-\d[\w-]{10,}|\bAIza[\w-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/;
