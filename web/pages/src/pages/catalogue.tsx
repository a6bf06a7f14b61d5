/** The catalogue: words and facets narrow it as they are entered; all of it can be scrolled through. */

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";

import { useEndless } from "../endless.js";
import { Facets, FILTERS } from "../parts/facets.js";
import { Icon } from "../parts/icons.js";
import { Grid, Table } from "../parts/items.js";
import { Empty, Failed, Loading } from "../parts/states.js";
import { valueOf } from "../parts/words.js";
import { href, replace, useRoute } from "../router.js";
import { useTexts } from "../texts/index.js";

const TYPING_MS = 200;

const SORTS = {
  created: { sort_by: "created_at", sort_order: "desc" },
  updated: { sort_by: "updated_at", sort_order: "desc" },
  title: { sort_by: "title", sort_order: "asc" },
  year: { sort_by: "year", sort_order: "desc" },
  rating: { sort_by: "rating", sort_order: "desc" },
  size: { sort_by: "file_size", sort_order: "desc" },
  relevance: { sort_by: "relevance", sort_order: "desc" },
} as const;

type Sort = keyof typeof SORTS;

const VIEW = "catalogizer.view";
const places = new Map<string, number>(); // how far each view was scrolled

export function CataloguePage() {
  const { t, language } = useTexts();
  const { params } = useRoute();
  const query = params.get("query") ?? "";
  const sort = sortOf(params.get("sort"), query);
  const view = params.get("view") ?? localStorage.getItem(VIEW) ?? "grid";
  const [range, setRange] = useState({ start: 0, end: 60 });
  const key = String(params);
  const wanted = useMemo(() => wantedBy(new URLSearchParams(key), sort, query), [key, sort, query]);
  const found = useEndless(wanted, range.start, range.end);
  const { first } = found;
  useScrolled(key, first !== undefined);

  const change = (changes: Record<string, string | undefined>): void => {
    const next = new URLSearchParams(params);
    for (const [name, value] of Object.entries(changes)) {
      next.delete(name);
      if (value) {
        next.set(name, value);
      }
    }
    replace(href("catalogue", next));
  };
  const chosen = FILTERS.filter((name) => params.has(name));
  const narrowed = query !== "" || chosen.length > 0;

  const total = first && first.total.toLocaleString(language);
  let summary = "";
  if (total !== undefined && first) {
    summary = first.total === 0 ? (narrowed ? t.catalogue.nothing : t.catalogue.empty) : first.total_is_exact ? t.items(first.total) : t.atLeast(t.items(first.total));
  }
  return (
    <div className="catalogue">
      <h1 className="unseen">{t.nav.catalogue}</h1>
      <div className="bar">
        <SearchField query={query} search={(words) => change({ query: words })} />
        <select aria-label={t.catalogue.sort} value={sort} onChange={(event) => change({ sort: event.target.value })}>
          {(Object.keys(SORTS) as Sort[])
            .filter((name) => name !== "relevance" || query !== "")
            .map((name) => (
              <option key={name} value={name}>
                {t.catalogue.sorts[name]}
              </option>
            ))}
        </select>
        <ViewSwitch view={view} change={change} />
      </div>
      <Facets first={first} params={params} change={change} />
      <div className="results">
        <div className="summary">
          <p id="search-state" className="note" role="status">
            {summary}
          </p>
          {chosen.map((name) => (
            <button
              key={name}
              type="button"
              className="chip"
              aria-label={t.catalogue.without(t.facet[name] ?? name)}
              onClick={() => change({ [name]: undefined })}
            >
              <bdi>{valueOf(params.get(name) ?? "", t)}</bdi>
              <Icon name="close" />
            </button>
          ))}
          {chosen.length > 1 && (
            <button type="button" className="plain" onClick={() => change(Object.fromEntries(chosen.map((name) => [name, undefined])))}>
              {t.catalogue.clear}
            </button>
          )}
        </div>
        {found.error && <Failed error={found.error} again={found.refetch} />}
        {!first && !found.error && <Loading />}
        {first?.total === 0 && (
          <Empty help={narrowed ? t.catalogue.nothingHelp : t.home.emptyHelp}>{narrowed ? t.catalogue.nothing : t.catalogue.empty}</Empty>
        )}
        {first && first.total > 0 && (view === "table" ? <Table items={found} onRange={setRange} name={key} /> : <Grid items={found} onRange={setRange} name={key} />)}
      </div>
    </div>
  );
}

function sortOf(wanted: string | null, query: string): Sort {
  const sort = wanted !== null && wanted in SORTS ? (wanted as Sort) : query ? "relevance" : "created";
  return sort === "relevance" && !query ? "created" : sort;
}

function wantedBy(params: URLSearchParams, sort: Sort, query: string): Record<string, string> {
  const filters = FILTERS.filter((name) => params.has(name)).map((name) => [name, params.get(name) ?? ""]);
  return { ...(query ? { query } : {}), ...SORTS[sort], ...(Object.fromEntries(filters) as Record<string, string>) };
}

function SearchField({ query, search }: { query: string; search: (words: string) => void }) {
  const { t } = useTexts();
  const [words, setWords] = useState(query);
  const searched = useRef(query);
  const searching = useRef(search);
  searching.current = search;
  useEffect(() => {
    if (query !== searched.current) {
      searched.current = query; // the back button, or a link
      setWords(query);
    }
  }, [query]);
  useEffect(() => {
    if (words.trim() === searched.current) {
      return undefined;
    }
    const timer = setTimeout(() => {
      searched.current = words.trim();
      searching.current(words.trim());
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <div className="search" role="search">
      <Icon name="search" />
      <input
        id="query"
        type="search"
        aria-label={t.catalogue.search}
        placeholder={t.catalogue.placeholder}
        value={words}
        autoComplete="off"
        enterKeyHint="search"
        onChange={(event) => setWords(event.target.value)}
      />
    </div>
  );
}

function ViewSwitch({ view, change }: { view: string; change: (changes: Record<string, string>) => void }) {
  const { t } = useTexts();
  const choose = (name: string): void => {
    localStorage.setItem(VIEW, name);
    change({ view: name });
  };
  return (
    <div className="switch" role="group" aria-label={t.catalogue.view}>
      {(["grid", "table"] as const).map((name) => (
        <button key={name} type="button" aria-pressed={view === name} aria-label={t.catalogue[name]} title={t.catalogue[name]} onClick={() => choose(name)}>
          <Icon name={name} />
        </button>
      ))}
    </div>
  );
}

/** Restore the scroll position when the reader returns to a view; a new search begins at the top. */
function useScrolled(key: string, there: boolean): void {
  const at = useRef(key);
  useLayoutEffect(() => {
    if (there) {
      scrollTo(0, places.get(key) ?? 0);
    }
    at.current = key;
  }, [key, there]);
  useEffect(() => {
    const keep = (): void => void places.set(at.current, scrollY);
    addEventListener("scroll", keep, { passive: true });
    return () => {
      removeEventListener("scroll", keep);
      scrollTo(0, 0);
    };
  }, []);
}
