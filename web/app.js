/** The page: sign-in, the feed, replay, search. All text from the server is set as text, never as HTML. */

import { EventSocket } from "./socket.js";

const CHANNELS = ["media_updates", "system_updates", "analysis_updates", "notifications"];
const SHOWN = 300; // rows in the document at once
const KEPT = 100_000; // events that can be paged through; older ones are let go, and that is said
const SEARCH_MS = 1_000; // from an event to the search it causes
const SEARCH_EVERY_MS = 2_000; // and no more often than this, while events come
const SESSION = "catalogizer.session";
const RENEW_EARLY_MS = 90_000; // before the token ends
const RENEW_AGAIN_MS = 5_000; // after a failure that is not the session's end
const RENEW_MS = 20_000; // longer no answer is waited for
const LOCK_MS = 30_000;

const $ = (id) => document.getElementById(id);
let session = load(); // {token, refresh, expires, early, user}; null when nobody is signed in
let shared = session !== null; // with the other tabs
let socket;
let refreshTimer;
let refreshing;

// Session. All tabs share one: whoever renews it, the others take it up, and who signs out signs all out. It ends when the
// server says so (401 to its refresh token) and for no other reason.

function load() {
  try {
    return JSON.parse(localStorage.getItem(SESSION));
  } catch {
    return null;
  }
}

function keep(answer) {
  const life = answer.expires_in * 1_000;
  adopt({
    token: answer.session_token,
    refresh: answer.refresh_token,
    expires: Date.now() + life, // by this clock, whatever the server's says
    early: Math.min(RENEW_EARLY_MS, life / 4),
    user: answer.user.username,
  });
  try {
    localStorage.setItem(SESSION, JSON.stringify(session));
    shared = true;
  } catch {
    shared = false; // then this tab has it alone
  }
}

function adopt(found) {
  session = found;
  schedule();
  socket?.renew(session.token);
}

function schedule(wait = Math.max(0, session.expires - session.early - Date.now())) {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(refresh, wait);
}

function forget() {
  clearTimeout(refreshTimer);
  session = null;
  if (shared) {
    localStorage.removeItem(SESSION);
  }
}

/** What another tab did with the session while this one slept; true when there is still one. */
function catchUp() {
  const found = shared ? load() : session;
  if (session && !found) {
    signOut("");
  } else if (session && found.user !== session.user) {
    location.reload(); // somebody else signed in
  } else if (session && found.refresh !== session.refresh) {
    adopt(found);
  }
  return session !== null;
}

addEventListener("storage", (change) => change.key === SESSION && catchUp());
for (const event of ["pageshow", "online", "focus"]) {
  addEventListener(event, renewIfDue);
}
document.addEventListener("visibilitychange", renewIfDue);

function renewIfDue() {
  if (session && catchUp() && Date.now() >= session.expires - session.early) {
    refresh();
  }
}

async function api(path, options = {}) {
  try {
    return await ask(path, options);
  } catch (error) {
    if (error.status !== 401 || !session || path.startsWith("auth/")) {
      throw error;
    }
    await refresh();
    if (!session) {
      throw error;
    }
    return ask(path, options);
  }
}

async function ask(path, { body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (session) {
    headers.Authorization = `Bearer ${session.token}`;
  }
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  const method = body === undefined ? "GET" : "POST";
  let answer;
  try {
    answer = await fetch(`api/v1/${path}`, { method, headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new Error("The server cannot be reached.");
  }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const wait = answer.headers.get("Retry-After");
    const failed = new Error(`${data.message ?? answer.statusText}${wait ? ` (again in ${wait} s)` : ""}`);
    failed.status = answer.status;
    throw failed;
  }
  return data;
}

/** Renew the session, once for all who ask meanwhile; resolves when it is renewed, ended, or to be tried again. */
function refresh() {
  refreshing ??= inTurn(renew).finally(() => (refreshing = undefined));
  return refreshing;
}

/** One tab after the other. Where there are no locks (plain http), the server gives all of them the same successor. */
async function inTurn(work) {
  if (!navigator.locks) {
    return work();
  }
  try {
    return await navigator.locks.request(SESSION, { signal: AbortSignal.timeout(LOCK_MS) }, work);
  } catch {
    return work(); // a tab that sleeps has the lock
  }
}

async function renew() {
  if (!session) {
    return;
  }
  const before = session;
  if (!catchUp() || (session !== before && Date.now() < session.expires - session.early)) {
    return; // another tab has done it
  }
  const used = session.refresh;
  try {
    keep(await ask("auth/refresh", { body: { refresh_token: used }, signal: AbortSignal.timeout(RENEW_MS) }));
  } catch (error) {
    if (!session) {
      return; // signed out meanwhile
    }
    if (error.status !== 401) {
      schedule(RENEW_AGAIN_MS);
    } else if (shared && load() && load().refresh !== used) {
      catchUp();
    } else {
      signOut("Your session has ended. Sign in again.");
    }
  }
}

$("sign-in-form").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const button = submit.target.querySelector("button");
  button.disabled = true;
  say("sign-in-error", "");
  try {
    keep(await api("auth/login", { body: { username: $("name").value, password: $("password").value } }));
    $("password").value = "";
    enter();
  } catch (error) {
    say("sign-in-error", error.message);
    $("password").focus();
  } finally {
    button.disabled = false;
  }
});

$("sign-out").addEventListener("click", () => {
  api("auth/logout", { body: {} })
    .then((answer) => answer.provider_sign_out && location.assign(answer.provider_sign_out))
    .catch(() => {}); // ended here whether or not the server hears it
  signOut("");
});

// Signing in elsewhere: a button for each provider, and what stands in the fragment when the browser comes back from one.

const REFUSED = {
  declined: "You did not sign in there.",
  no_rights: "You are known there, but nothing here is open to you. Ask an administrator for a group that is.",
  no_account: "You are known there, but have no account here. Ask an administrator for one.",
  disabled: "Your account is disabled.",
  signed_out: "You have signed out there. Sign in again.",
};

async function showProviders() {
  try {
    const { providers } = await ask("auth/oidc");
    $("providers").replaceChildren(...providers.map(providerButton));
    $("providers").hidden = providers.length === 0;
  } catch {
    // the form is there all the same
  }
}

function providerButton({ name, start }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = `Sign in with ${name}`;
  button.addEventListener("click", () => location.assign(start));
  return button;
}

/** What the browser brought back in the fragment, which is taken out of the address and the history at once. */
function broughtBack() {
  const found = new URLSearchParams(location.hash.slice(1));
  if (found.has("signed-in") || found.has("sign-in-refused")) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return { code: found.get("signed-in"), refused: found.get("sign-in-refused") };
}

async function comeBack(code) {
  try {
    keep(await ask("auth/oidc/exchange", { body: { code } }));
    enter();
  } catch (error) {
    if (session) {
      enter(); // whoever made up a code signs nobody out
    } else {
      askToSignIn(error.status === 400 ? "This sign-in could not be finished. Begin again." : error.message);
    }
  }
}

function signOut(why) {
  socket?.end();
  socket = undefined;
  forget();
  clearFeed();
  $("results").replaceChildren();
  $("workspace").hidden = $("sign-out").hidden = $("connection").hidden = true;
  askToSignIn(why);
}

function askToSignIn(why) {
  $("sign-in").hidden = false;
  say("sign-in-error", why);
  $("name").focus();
  showProviders();
}

function enter() {
  $("sign-in").hidden = true;
  $("workspace").hidden = $("sign-out").hidden = $("connection").hidden = false;
  schedule();
  CHANNELS.forEach((channel) => offer(channel, true));
  socket = new EventSocket(session.token, CHANNELS, {
    state: (name, text) => {
      $("connection").dataset.state = name;
      $("connection").textContent = text;
    },
    event: showEvent,
    gap: showGap,
    replay: replayState,
    forbidden: (channel) => offer(channel, false),
    refused: refresh,
  });
  search();
}

/** Whether a channel can be replayed: not where the account may not follow it. */
function offer(channel, may) {
  const options = [...$("channel").options];
  options.find(({ value }) => value === channel).disabled = !may;
  if (!may && $("channel").value === channel) {
    $("channel").value = options.find(({ disabled }) => !disabled)?.value ?? "";
  }
}

// The feed.

function showEvent(frame, replayed) {
  const told = describe(frame);
  row({
    kind: told.kind,
    action: told.action,
    subject: told.subject,
    type: told.type,
    root: told.root,
    time: frame.timestamp,
    place: `${frame.partition}:${frame.offset}`,
    replayed,
  });
  if (replayed && replay?.events !== undefined) {
    replay.events += 1;
  }
  if (!replayed && frame.type === "media_update") {
    searchSoon();
  }
  if (!replayed && frame.type === "notification") {
    toast(`${frame.data.title}: ${frame.data.message}`, frame.data.level);
  }
  if (!replayed && frame.type === "system_update" && frame.data.status !== "healthy") {
    toast(frame.data.message ?? `${frame.data.component}: ${frame.data.status}`, frame.data.status);
  }
}

function describe({ type, data }) {
  switch (type) {
    case "media_update":
      return {
        kind: data.action,
        action: data.action,
        subject: data.media.title,
        type: about(data.media),
        root: data.media.storage_root ? `${data.media.storage_root}/${data.media.path ?? ""}` : "",
      };
    case "system_update":
      return {
        kind: data.status,
        action: data.status,
        subject: data.message ?? data.component,
        type: data.action.replaceAll("_", " "),
        root: data.component,
      };
    case "analysis_complete":
      return {
        kind: data.items_failed ? "warning" : "analyzed",
        action: "analysis complete",
        subject: `${data.items_processed} ${data.items_processed === 1 ? "item" : "items"} analysed`,
        type: `${data.items_identified} identified, ${data.items_failed} failed`,
        root: data.storage_root ?? "",
      };
    default:
      return {
        kind: data.level ?? "info",
        action: data.type ?? type,
        subject: data.title ?? type,
        type: data.message ?? "",
        root: "",
      };
  }
}

function showGap(frame) {
  const missed = frame.missed ?? { [frame.partition]: frame };
  const ranges = Object.entries(missed).map(([p, range]) => `${p}: ${range.from} to ${range.to ?? "?"}`);
  row({
    kind: "gap",
    action: "gap",
    subject: `Some events of ${frame.channel.replaceAll("_", " ")} cannot be shown`,
    type: `${(frame.reason ?? "").replaceAll("_", " ")}; partition and offsets ${ranges.join(", ")}`,
    root: "",
    time: frame.timestamp,
    place: "",
    replayed: false,
  });
}

let events = []; // oldest first
let gone = 0; // events let go before them
let pageEnd; // how many events, from the first, stand before the end of the page shown; undefined: the newest are
let drawn = 0; // how many had come when the feed was drawn
let drawing = false;

function row(event) {
  events.push(event);
  if (events.length > KEPT + SHOWN) {
    gone += events.length - KEPT;
    events = events.slice(-KEPT);
  }
  draw();
}

/** Once per frame of the screen, however many events came. */
function draw() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      drawFeed();
    });
  }
}

function drawFeed() {
  const total = gone + events.length;
  const end = Math.max(Math.min(pageEnd ?? total, total), Math.min(total, gone + SHOWN));
  const start = Math.max(gone, end - SHOWN);
  const feed = $("feed");
  if (pageEnd === undefined && drawn > start && drawn <= end && feed.childElementCount) {
    feed.prepend(...events.slice(drawn - gone).map(element).reverse());
    while (feed.childElementCount > end - start) {
      feed.lastElementChild.remove();
    }
  } else if (pageEnd === undefined || feed.dataset.page !== `${start}-${end}`) {
    feed.replaceChildren(...events.slice(start - gone, end - gone).map(element).reverse());
  }
  feed.dataset.page = `${start}-${end}`;
  drawn = total;
  drawPages(start, end, total);
  drawReplay();
}

function drawPages(start, end, total) {
  const number = (n) => n.toLocaleString("en");
  $("feed-empty").hidden = total > 0;
  $("pages").hidden = total <= SHOWN;
  $("newer").disabled = end === total;
  $("older").disabled = start === gone;
  const lost = gone ? `; the oldest ${number(gone)} are not kept here` : "";
  $("pages-state").textContent = `${number(start + 1)} to ${number(end)} of ${number(total)} events${lost}`;
}

$("older").addEventListener("click", () => turn(-SHOWN));
$("newer").addEventListener("click", () => turn(SHOWN));

function turn(by) {
  const total = gone + events.length;
  const end = Math.max(gone + 1, (pageEnd ?? total) + by);
  pageEnd = end >= total ? undefined : end;
  delete $("feed").dataset.page;
  $("feed").replaceChildren();
  drawFeed();
}

function element({ kind, action, subject, type, root, time, place, replayed }) {
  const item = $("event-template").content.firstElementChild.cloneNode(true);
  const set = (name, text) => (item.querySelector(`.${name}`).textContent = text);
  item.dataset.kind = kind;
  item.classList.toggle("replayed", replayed);
  item.querySelector(".mark").hidden = !replayed;
  set("action", action);
  set("subject", subject);
  set("type", type);
  set("root", root);
  set("place", place);
  const at = new Date(time);
  const clock = item.querySelector("time");
  clock.dateTime = time;
  clock.textContent = Number.isNaN(at.valueOf()) ? time : at.toLocaleString();
  return item;
}

function clearFeed() {
  events = [];
  gone = drawn = 0;
  pageEnd = undefined;
  $("feed").replaceChildren();
  drawFeed();
}

$("clear").addEventListener("click", clearFeed);

// Replay.

$("start").addEventListener("change", showStart);

function showStart() {
  const start = $("start").value;
  $("last").hidden = start !== "last";
  $("time").hidden = start !== "time";
  $("partition").hidden = $("offset").hidden = start !== "offset";
}

$("replay-form").addEventListener("submit", async (submit) => {
  submit.preventDefault();
  say("replay-error", "");
  const channel = $("channel").value;
  const from = await startOf(channel).catch((error) => say("replay-error", error.message));
  if (from === undefined) {
    return;
  }
  replay = { channel };
  clearFeed();
  if (!socket.replay(channel, from)) {
    say("replay-error", "Not connected; try again when the connection is back.");
  }
});

let replay; // the channel; once it has started `events`, how many came of it, and `done`

$("back-to-live").addEventListener("click", () => {
  socket.live(replay.channel);
  replay = undefined;
  clearFeed();
  $("back-to-live").hidden = true;
});

async function startOf(channel) {
  switch ($("start").value) {
    case "earliest":
      return "earliest";
    case "last":
      return { last: whole("last", 1, "How many events?") };
    case "time": {
      const at = new Date($("time").value);
      if (Number.isNaN(at.valueOf())) {
        throw new Error("Give a date and a time.");
      }
      return { time: at.toISOString() };
    }
    default: {
      // One partition from the offset; the others from now on.
      const all = (await api("channels")).channels.find(({ name }) => name === channel).next_offsets;
      const partition = String(whole("partition", 0, "Which partition?"));
      if (!(partition in all)) {
        throw new Error(`${channel} has partitions 0 to ${Object.keys(all).length - 1}.`);
      }
      return { offsets: { ...all, [partition]: whole("offset", 0, "From which offset?") } };
    }
  }
}

function whole(id, least, question) {
  const value = Number($(id).value);
  if ($(id).value === "" || !Number.isSafeInteger(value) || value < least) {
    throw new Error(question);
  }
  return value;
}

function replayState(state, frame) {
  if (state === "failed") {
    say("replay-error", frame.data.message);
    return;
  }
  $("back-to-live").hidden = false;
  if (state === "started") {
    replay = { channel: frame.channel, events: 0, done: false };
  } else if (replay !== undefined) {
    replay.done = true;
  }
  draw();
}

function drawReplay() {
  if (replay?.events === undefined) {
    $("replay-state").textContent = "";
    return;
  }
  const name = replay.channel.replaceAll("_", " ");
  const count = `${replay.events.toLocaleString("en")} ${replay.events === 1 ? "event" : "events"}`;
  $("replay-state").textContent = replay.done
    ? `Replay of ${name} is complete: ${count}; what comes now is live.`
    : `Replaying ${name}: ${count} so far…`;
}

// Search.

let searching; // undefined when none is under way
let searchTimer; // undefined when none is due
let searchedAt = 0;

$("search-form").addEventListener("submit", (submit) => {
  submit.preventDefault();
  search();
});

/** Search again a little later. A timer that began anew at each event would never fire while events come. */
function searchSoon() {
  const wait = Math.max(SEARCH_MS, searchedAt + SEARCH_EVERY_MS - Date.now());
  searchTimer ??= setTimeout(() => {
    searchTimer = undefined;
    if (searching === undefined) {
      search();
    } else {
      searchSoon(); // what takes long is waited for, else no search would ever end
    }
  }, wait);
}

async function search() {
  searching?.abort();
  searchedAt = Date.now();
  const mine = (searching = new AbortController());
  const { signal } = mine;
  const query = $("query").value.trim();
  try {
    const page = await api(`media/search?limit=24&query=${encodeURIComponent(query)}`, { signal });
    $("results").replaceChildren(...page.items.map(result));
    $("search-state").textContent = page.total
      ? `${page.items.length} of ${page.total} items, the newest first`
      : query
        ? "Nothing matches."
        : "The catalogue is empty yet.";
  } catch (error) {
    if (error.name !== "AbortError") {
      $("search-state").textContent = `The catalogue cannot be read now: ${error.message}`;
    }
  } finally {
    if (searching === mine) {
      searching = undefined;
    }
  }
}

function result(item) {
  const shown = $("result-template").content.firstElementChild.cloneNode(true);
  const set = (name, text) => (shown.querySelector(`.${name}`).textContent = text);
  set("subject", item.title);
  set("type", about(item));
  set("root", `${item.storage_root_name}/${item.path ?? ""}`);
  if (typeof item.cover_image === "string" && item.cover_image.startsWith("/api/v1/covers/")) {
    const image = shown.querySelector("img");
    image.src = item.cover_image.slice(1); // beside the page
    image.hidden = false;
  }
  return shown;
}

/** What is said of an item beside its title. */
function about(item) {
  const part = item.belongs_to === undefined || item.belongs_to === null ? "" : "part of another item";
  const corrected = item.corrected?.length ? "corrected" : "";
  const by = item.artist ?? item.author;
  return [item.media_type, by, item.year, item.quality, part, corrected].filter(Boolean).join(" · ");
}

// Small things.

function say(id, text) {
  $(id).textContent = text;
  $(id).hidden = !text;
}

function toast(text, kind) {
  const shown = document.createElement("p");
  shown.className = "toast";
  shown.dataset.kind = kind;
  shown.textContent = text;
  $("toasts").append(shown);
  setTimeout(() => shown.remove(), 6_000);
}

showStart();
const back = broughtBack();
if (back.code) {
  comeBack(back.code);
} else if (session) {
  enter(); // a token that has ended is renewed
} else {
  askToSignIn(back.refused ? (REFUSED[back.refused] ?? "You were not let in.") : "");
}
