// A mail server for the tests: takes what it is given, over a plain connection on a free port, and hands it out.
import { createServer } from 'node:net';

const unfold = (raw) => raw.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));

export async function startSmtp() {
  const mails = [];
  const waiting = [];
  const take = (mail) => { const i = waiting.findIndex((w) => w.fits(mail)); if (i < 0) mails.push(mail); else waiting.splice(i, 1)[0].done(mail); };
  const server = createServer((socket) => {
    let text = '';
    let mail = { to: [], data: null };
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.write('220 sink.example ESMTP\r\n');
    socket.on('data', (chunk) => {
      text += chunk;
      for (;;) {
        if (mail.data !== null) {
          const end = text.indexOf('\r\n.\r\n');
          if (end < 0) return;
          take({ to: mail.to, raw: text.slice(0, end), text: unfold(text.slice(0, end)) });
          text = text.slice(end + 5);
          mail = { to: [], data: null };
          socket.write('250 2.0.0 taken\r\n');
          continue;
        }
        const end = text.indexOf('\r\n');
        if (end < 0) return;
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === 'EHLO') socket.write('250-sink.example\r\n250-8BITMIME\r\n250 SIZE 10000000\r\n');
        else if (verb === 'RCPT') { mail.to.push(/<([^>]*)>/.exec(line)?.[1] ?? ''); socket.write('250 2.1.5 OK\r\n'); }
        else if (verb === 'DATA') { mail.data = ''; socket.write('354 go on\r\n'); }
        else if (verb === 'QUIT') { socket.end('221 2.0.0 bye\r\n'); return; }
        else socket.write('250 2.0.0 OK\r\n');
      }
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    port: server.address().port,
    /** The next mail to somebody, one that has come already or one that comes within the time. */
    to: (address, ms = 20_000) => new Promise((resolve, reject) => {
      const fits = (m) => m.to.includes(address);
      const i = mails.findIndex(fits);
      if (i >= 0) { resolve(mails.splice(i, 1)[0]); return; }
      const late = setTimeout(() => reject(new Error(`no mail to ${address} within ${ms} ms`)), ms);
      waiting.push({ fits, done: (m) => { clearTimeout(late); resolve(m); } });
    }),
    stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections?.(); }),
  };
}
