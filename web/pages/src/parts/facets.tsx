/** The facets of a search: values of the items found, each with its count. A chosen value narrows the search. */

import { useState } from "react";

import type { Page } from "../answers.js";
import { useTexts } from "../texts/index.js";
import { Icon } from "./icons.js";
import { valueOf } from "./words.js";

/** Filters that an address of the catalogue may have: those with facets, and those that other pages link to. */
export const FILTERS = [
  "media_type", "category", "year", "quality", "library", "storage_root", "genre", "language", "video_codec", "analysis",
  "artist", "album", "author", "series", "belongs_to", "camera", "person",
] as const;

const SHOWN = ["category", "media_type", "year", "quality", "library", "storage_root", "genre", "language", "video_codec", "analysis"] as const;
const FEW = 6;

interface Chosen {
  first: Page | undefined;
  params: URLSearchParams;
  change: (changes: Record<string, string | undefined>) => void;
}

export function Facets({ first, params, change }: Chosen) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false); // on a phone; wider screens always show them
  const facets = SHOWN.map((name) => ({ name, values: first?.facets[name] ?? [] })).filter(
    ({ name, values }) => values.length > 1 || params.has(name),
  );
  return (
    <aside className={open ? "facets open" : "facets"} aria-label={t.catalogue.filters}>
      <button type="button" className="quiet filters" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="filter" />
        {t.catalogue.filters}
      </button>
      <div className="all">
        {facets.map(({ name, values }) => (
          <Facet
            key={name}
            name={name}
            values={values}
            exact={first?.facets_are_exact ?? true}
            chosen={params.get(name)}
            choose={(value) => change({ [name]: value })}
          />
        ))}
      </div>
    </aside>
  );
}

interface FacetProps {
  name: string;
  values: Page["facets"][string];
  exact: boolean;
  chosen: string | null;
  choose: (value: string | undefined) => void;
}

function Facet({ name, values, exact, chosen, choose }: FacetProps) {
  const { t, language } = useTexts();
  const [all, setAll] = useState(false);
  const ordered = name === "year" ? values.toSorted((one, other) => Number(other.value) - Number(one.value)) : values;
  const shown = all ? ordered : ordered.slice(0, FEW);
  return (
    <fieldset>
      <legend>{t.facet[name] ?? name}</legend>
      {shown.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          className="facet"
          aria-pressed={chosen === value}
          onClick={() => choose(chosen === value ? undefined : value)}
        >
          <bdi>{valueOf(value, t)}</bdi>
          <span className="count" title={exact ? undefined : t.catalogue.atLeast}>
            {count.toLocaleString(language)}
            {exact ? "" : "+"}
          </span>
        </button>
      ))}
      {values.length > FEW && !all && (
        <button type="button" className="plain" onClick={() => setAll(true)}>
          {t.nav.more} …
        </button>
      )}
    </fieldset>
  );
}
