/** The frame of every page: navigation, search, and the state of the connection. On a phone the navigation is at the bottom. */

import { useEffect, useRef, type FormEvent, type ReactNode } from "react";

import { useConnection } from "../live.js";
import { useMay } from "../queries.js";
import { go, href, useRoute } from "../router.js";
import { signOut } from "../session.js";
import { useTexts, type Texts } from "../texts/index.js";
import { Icon, type IconName } from "./icons.js";

export interface Way {
  page: string;
  name: Exclude<keyof Texts["nav"], "label">;
  icon: IconName;
  needs?: string;
  /** Not shown in the navigation of a phone. */
  wide?: boolean;
}

export const WAYS: readonly Way[] = [
  { page: "", name: "home", icon: "home" },
  { page: "catalogue", name: "catalogue", icon: "catalogue" },
  { page: "live", name: "live", icon: "live" },
  { page: "libraries", name: "libraries", icon: "libraries" },
  { page: "replay", name: "replay", icon: "replay", wide: true },
  { page: "history", name: "history", icon: "history", wide: true },
  { page: "health", name: "health", icon: "health", wide: true },
  { page: "admin", name: "admin", icon: "admin", wide: true, needs: "write:notifications" },
  { page: "account", name: "account", icon: "account", wide: true },
];

/** The navigation links that the account may use. */
export function useWays(): readonly Way[] {
  const may = useMay();
  return WAYS.filter(({ needs }) => needs === undefined || may(needs));
}

export function Layout({ children }: { children: ReactNode }) {
  const { t } = useTexts();
  const { page, rest } = useRoute();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const place = [page, ...rest].join("/");
  useEffect(() => {
    if (!first.current) {
      main.current?.focus({ preventScroll: true }); // a screen reader then reads the page that was opened
    }
    first.current = false;
  }, [place]);
  const skip = (): void => {
    main.current?.focus();
    main.current?.scrollIntoView();
  };
  return (
    <div className="frame" id="workspace">
      <button type="button" className="skip" onClick={skip}>
        {t.skip}
      </button>
      <header className="top">
        <a className="brand" href={href("")}>
          <Icon name="catalogue" />
          <span>{t.name}</span>
        </a>
        {page !== "catalogue" && <QuickSearch />}
        <ConnectionState />
      </header>
      <Ways page={page === "item" ? "catalogue" : page} />
      <main ref={main} tabIndex={-1} id="content">
        {children}
      </main>
    </div>
  );
}

function Ways({ page }: { page: string }) {
  const { t } = useTexts();
  const ways = useWays();
  const more = ways.some((way) => way.wide && way.page === page) || page === "more";
  return (
    <nav className="ways" aria-label={t.nav.label}>
      {ways.map((way) => (
        <a
          key={way.page}
          href={href(way.page)}
          className={way.wide ? "wide" : undefined}
          aria-current={way.page === page ? "page" : undefined}
        >
          <Icon name={way.icon} />
          <span>{t.nav[way.name]}</span>
        </a>
      ))}
      <a href={href("more")} className="narrow" aria-current={more ? "page" : undefined}>
        <Icon name="more" />
        <span>{t.nav.more}</span>
      </a>
      <button type="button" className="quiet wide out" onClick={() => void signOut()}>
        {t.signIn.out}
      </button>
    </nav>
  );
}

function QuickSearch() {
  const { t } = useTexts();
  const search = (submit: FormEvent<HTMLFormElement>): void => {
    submit.preventDefault();
    const query = String(new FormData(submit.currentTarget).get("query") ?? "").trim();
    go(href("catalogue", { query }));
  };
  return (
    <form className="quick" role="search" onSubmit={search}>
      <input name="query" type="search" aria-label={t.catalogue.search} placeholder={t.catalogue.search} enterKeyHint="search" />
    </form>
  );
}

function ConnectionState() {
  const { t } = useTexts();
  const state = useConnection();
  return (
    <p id="connection" className="connection" role="status" data-state={state}>
      {t.connection[state]}
    </p>
  );
}
