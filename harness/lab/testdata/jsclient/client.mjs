// What an ordinary Graph client does in its life, with Microsoft's own
// libraries, unmodified. Reads the lab's description from the file named by
// argv[2] and prints one line of JSON: what it saw.
import fs from 'node:fs';
import {Client, PageIterator, LargeFileUploadTask, FileUpload, BatchRequestContent, BatchResponseContent} from '@microsoft/microsoft-graph-client';
import {ConfidentialClientApplication, PublicClientApplication} from '@azure/msal-node';

const lab = JSON.parse(fs.readFileSync(process.argv[2]));
const origin = new URL(lab.graph).origin + '/';
const client = kind => lab.clients.find(c => c.kind === kind);
const user = place => lab.users.find(u => u.location === place);
const scopes = ['https://graph.microsoft.com/.default'];
const auth = (c, more) => ({auth: {clientId: c.id, authority: lab.authority, knownAuthorities: [new URL(lab.authority).host], ...more}});
const graph = token => Client.init({baseUrl: origin, customHosts: new Set([new URL(origin).hostname]), authProvider: done => done(null, token)});
const refusal = async call => {
  try { await call(); return 'none'; } catch (e) { return `${e.statusCode} ${e.code}`; }
};

const app = client('app-only');
const service = graph((await new ConfidentialClientApplication(auth(app, {clientSecret: app.secret})).acquireTokenByClientCredential({scopes})).accessToken);
const me = user('cloud');
const signedIn = await new PublicClientApplication(auth(client('delegated'))).acquireTokenByUsernamePassword({scopes, username: me.upn, password: me.password});
const mine = graph(signedIn.accessToken);
const seen = {signedIn: signedIn.account.username};

const first = await mine.api('/me/messages').top(50).select('subject,from').get();
const ids = new Set();
await new PageIterator(mine, first, m => { ids.add(m.id); return true; }).iterate();
seen.paged = ids.size;

const draft = await mine.api('/me/messages').post({subject: 'from a client', body: {contentType: 'Text', content: 'hi'}, toRecipients: [{emailAddress: {address: me.upn}}]});
await mine.api(`/me/messages/${draft.id}/attachments`).post({'@odata.type': '#microsoft.graph.fileAttachment', name: 'small.txt', contentBytes: Buffer.from('hello').toString('base64')});
const large = Buffer.alloc(7 * 1024 * 1024, 'x');
const session = await LargeFileUploadTask.createUploadSession(mine, `/me/messages/${draft.id}/attachments/createUploadSession`,
  {AttachmentItem: {attachmentType: 'file', name: 'large.bin', size: large.length}});
await new LargeFileUploadTask(mine, new FileUpload(large, 'large.bin', large.length), session, {rangeSize: 10 * 327680}).upload();
seen.attachments = (await mine.api(`/me/messages/${draft.id}/attachments`).select('name,size').get()).value.map(a => a.name);
await mine.api(`/me/messages/${draft.id}/send`).post({});
seen.arrived = (await mine.api('/me/mailFolders/inbox/messages').filter("subject eq 'from a client'").get()).value.length;

const requests = await new BatchRequestContent([
  {id: '1', request: new Request('https://any.test/me/mailFolders/inbox')},
  {id: '2', request: new Request('https://any.test/me/messages?$top=2')},
]).getContent();
const answers = new BatchResponseContent(await mine.api('/$batch').post(requests));
seen.batch = [answers.getResponseById('1').status, answers.getResponseById('2').status];

const round = async link => {
  let n = 0;
  for (;;) {
    const page = await mine.api(link).header('Prefer', 'odata.maxpagesize=50').get();
    n += page.value.length;
    if (page['@odata.deltaLink']) return {n, next: page['@odata.deltaLink']};
    link = page['@odata.nextLink'];
  }
};
const before = await round('/me/mailFolders/drafts/messages/delta?$select=subject');
await mine.api('/me/messages').post({subject: 'new'});
seen.delta = (await round(before.next)).n;

const series = await mine.api('/me/events').post({subject: 'series', start: {dateTime: '2026-06-01T10:00:00', timeZone: 'Europe/Berlin'}, end: {dateTime: '2026-06-01T11:00:00', timeZone: 'Europe/Berlin'},
  recurrence: {pattern: {type: 'weekly', interval: 1, daysOfWeek: ['monday']}, range: {type: 'numbered', startDate: '2026-06-01', numberOfOccurrences: 4}}});
seen.instances = (await mine.api(`/me/events/${series.id}/instances`).query({startDateTime: '2026-06-01T00:00:00Z', endDateTime: '2026-08-01T00:00:00Z'}).get()).value.length;

seen.malformed = await refusal(() => mine.api('/me/messages/garbage').get());
seen.meOfAnApp = await refusal(() => service.api('/me').get());
seen.appList = (await service.api(`/users/${me.upn}/messages`).top(1).get()).value.length;
seen.onPremises = await refusal(() => service.api(`/users/${user('onprem').upn}/messages`).get());
console.log(JSON.stringify(seen));
