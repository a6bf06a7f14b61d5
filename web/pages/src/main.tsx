/** The entry: finish a sign-in at a provider, if there is one, then render the page. */

import "./styles/base.css";
import "./styles/layout.css";
import "./styles/parts.css";
import "./styles/pages.css";

import { createRoot } from "react-dom/client";

import { App } from "./app.js";
import { finishSignIn } from "./session.js";
import { applyTheme } from "./theme.js";

applyTheme();
history.scrollRestoration = "manual"; // lists that are drawn as they are scrolled restore their position themselves

await finishSignIn();
createRoot(document.getElementById("root") as HTMLElement).render(<App />);
