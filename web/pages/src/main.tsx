/** The entry: what is brought back from a provider is taken up first, then the page is drawn. */

import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/pages.css";

import { createRoot } from "react-dom/client";

import { App } from "./app.js";
import { comeBack } from "./session.js";
import { applyTheme } from "./theme.js";

applyTheme();
history.scrollRestoration = "manual"; // a list that is drawn as it is scrolled knows better

await comeBack();
createRoot(document.getElementById("root") as HTMLElement).render(<App />);
