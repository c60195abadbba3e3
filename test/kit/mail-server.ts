// A real SMTP server on loopback, and a mail client's library that reads what it was given.
import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";
import { onTestFinished } from "vitest";

export interface ReceivedMail extends Email {
  /** Whom the server was told to bring it to. */
  readonly envelopeTo: readonly string[];
  readonly raw: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: ReceivedMail[];
  /** What it says to the next mails; `null` takes them. */
  refusal: { readonly code: number; readonly message: string } | null;
}

/** Closed after the test. */
export async function startMailServer(port = 0): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const state: { refusal: MailServer["refusal"] } = { refusal: null };
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    closeTimeout: 0,
    onRcptTo(_address, _session, done) {
      const { refusal } = state;
      done(refusal && Object.assign(new Error(refusal.message), { responseCode: refusal.code }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks).toString("utf8");
        void PostalMime.parse(raw).then((mail) => {
          mails.push({ ...mail, raw, envelopeTo: session.envelope.rcptTo.map(({ address }) => address) });
          done();
        });
      });
    },
  });
  const listening = server.listen(port, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(resolve)));
  return {
    port: (listening.address() as AddressInfo).port, // it listens on a port
    mails,
    get refusal() {
      return state.refusal;
    },
    set refusal(refusal) {
      state.refusal = refusal;
    },
  };
}
