/** On a phone: the pages that are not in the navigation at the bottom. */

import { Icon } from "../parts/icons.js";
import { useWays } from "../parts/layout.js";
import { href } from "../router.js";
import { signOut } from "../session.js";
import { useTexts } from "../texts/index.js";

export function MorePage() {
  const { t } = useTexts();
  const ways = useWays().filter(({ wide }) => wide);
  return (
    <>
      <h1>{t.nav.more}</h1>
      <ul className="menu card">
        {ways.map(({ page, name, icon }) => (
          <li key={page}>
            <a href={href(page)}>
              <Icon name={icon} />
              {t.nav[name]}
            </a>
          </li>
        ))}
      </ul>
      <button type="button" className="quiet" onClick={() => void signOut()}>
        {t.signIn.out}
      </button>
    </>
  );
}
