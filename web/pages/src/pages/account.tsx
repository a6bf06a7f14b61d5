/** The user's own settings: sessions, appearance, language. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Choice } from "../parts/field.js";
import { Sessions } from "../parts/sessions.js";
import { permissions } from "../queries.js";
import { useUser } from "../session.js";
import { LANGUAGES, setLanguage, useLanguage, useTexts, type Language } from "../texts/index.js";
import { applyTheme, theme, THEMES, type Theme } from "../theme.js";

export function AccountPage() {
  const { t } = useTexts();
  const user = useUser();
  const { data } = useQuery(permissions);
  const language = useLanguage();
  const [colours, setColours] = useState<Theme>(theme);
  const choose = (chosen: Theme): void => {
    applyTheme(chosen);
    setColours(chosen);
  };
  return (
    <>
      <h1>{t.account.title}</h1>
      {data && <p>{t.account.you(user ?? "", t.value[data.role.toLowerCase()] ?? data.role)}</p>}
      <section className="card">
        <h2>{t.account.appearance}</h2>
        <div className="fields">
          <Choice label={t.theme.label} value={colours} onChange={(change) => choose(change.target.value as Theme)}>
            {THEMES.map((one) => (
              <option key={one} value={one}>
                {t.theme[one]}
              </option>
            ))}
          </Choice>
          <Choice label={t.language} value={language} onChange={(change) => setLanguage(change.target.value as Language)}>
            {Object.entries(LANGUAGES).map(([name, own]) => (
              <option key={name} value={name} lang={name}>
                {own}
              </option>
            ))}
          </Choice>
        </div>
      </section>
      <section className="card">
        <h2>{t.account.sessions}</h2>
        <Sessions />
      </section>
    </>
  );
}
