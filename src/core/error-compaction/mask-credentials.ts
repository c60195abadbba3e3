// I11. Declared secrets are redacted where events are appended; this catches what nobody declared, by where it stands
// and how it looks. Every pattern is linear: its parts cannot match the same text in two ways, or are short.

const masked = "[masked]";

/** Replaces a match by its first group and the mask. */
const patterns: readonly RegExp[] = [
  // A private key, also one whose end was cut off, and one within JSON.
  /(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[A-Za-z0-9+/=\s\\:,.-]*/g,
  // A header that is a credential as a whole: everything to the end of its line or text.
  /(\b(?:proxy-)?authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:(?:bearer|basic|digest|negotiate|token|aws4-hmac-sha256)\s{1,3})?)[^\s"',}\]][^"'\r\n}\]]{0,8000}/gi,
  /(\b(?:set-)?cookie["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"'][^"'\r\n]{0,8000}/gi,
  /(\b(?:bearer|basic)\s{1,3})(?=[\w.~+/-]{0,400}[\d=_+/.-])[\w.~+/=-]{8,8000}/gi,
  // Whatever it is named by: api_key=…, "client_secret": "…", --password …, X-Api-Key: …, PGPASSWORD=….
  /([\w-]{0,40}(?:api[-_ ]?key|secret(?:[-_ ]?(?:access[-_ ]?)?key)?|access[-_ ]?token|auth[-_ ]?token|refresh[-_ ]?token|id[-_ ]?token|session[-_ ]?(?:id|token)|private[-_ ]?key|passwo?r?d|passphrase|pwd|credential|signature)\\{0,2}["']?\s{0,3}(?:[:=]|\sprovided:)\s{0,3}\\{0,2}["']?)[^\s"'\\,;&<>)\]}]{1,8000}/gi,
  /(--(?:password|passwd|token|secret|api-key)[\s=]["']?)[^\s"']{1,8000}/gi,
  /([?&](?:key|token|sig|code|auth|x-amz-[a-z-]{1,30})=)[^\s"'&<>)\]}]{1,8000}/gi,
  // User and password in a URL; the password may hold an @.
  /(\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s"'/<>]{1,500}@/gi,
  // Keys that show what they are: OpenAI and Stripe, Slack, GitHub, GitLab, Google, AWS, npm, Hugging Face, SendGrid, JWT.
  /()\b(?:sk|pk|rk|whsec|xai|pplx|gsk|hf|npm|glpat|dop_v1|shpat)[-_](?:(?:live|test|proj|ant|or)[-_])?(?=[\w-]{0,200}\d)[\w-]{12,8000}/g,
  /()\bxox[a-z]-[\w-]{8,8000}/g,
  /()\b(?:gh[a-z]_|github_pat_)\w{16,8000}/g,
  /()\b(?:AIza[\w-]{20,8000}|ya29\.[\w.-]{8,8000}|SG\.[\w.-]{16,8000})/g,
  /()\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ABSK)[A-Z0-9]{12,8000}/g,
  /()\beyJ[\w-]{8,8000}(?:\.[\w-]{0,8000}){0,2}/g,
];

/** `text` without what looks like a credential. Masking twice is masking once. */
export function maskCredentials(text: string): string {
  return patterns.reduce(
    (left, pattern) => left.replace(pattern, (match, kept: string) => mask(match, kept)),
    text,
  );
}

function mask(match: string, kept: string): string {
  const rest = match.slice(kept.length);
  if (rest === "" || rest.startsWith("[masked") || rest.startsWith("[secret")) return match; // it is named already
  return `${kept}${masked}${match.endsWith("@") && kept.endsWith("//") ? "@" : ""}`;
}
