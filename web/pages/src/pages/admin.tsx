/** Administration: users and what they may see, tokens of machines, notifications, the audit log. Only permitted parts are shown. */

import { Audit } from "../parts/audit.js";
import { useMay } from "../queries.js";
import { Notify } from "../parts/notify.js";
import { MachineTokens } from "../parts/machine-tokens.js";
import { Users } from "../parts/users.js";
import { useTexts } from "../texts/index.js";

export function AdminPage() {
  const { t } = useTexts();
  const may = useMay();
  return (
    <>
      <h1>{t.nav.admin}</h1>
      {may("manage:users") && <Users />}
      {may("manage:users") && <MachineTokens />}
      {may("write:notifications") && <Notify />}
      {may("read:audit") && <Audit />}
    </>
  );
}
