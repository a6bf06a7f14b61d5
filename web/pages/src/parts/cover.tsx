/** An item's cover; if there is none, or it cannot be loaded, an icon of its type. */

import { useState } from "react";

import { hueOf } from "../format.js";
import { Icon, typeIcon } from "./icons.js";

interface Covered {
  title: string;
  media_type: string;
  cover_image?: string | null | undefined;
}

export function Cover({ item, alt = "" }: { item: Covered; alt?: string }) {
  const [failed, setFailed] = useState<string>();
  const { cover_image: image } = item;
  // relative to the page, for proxies with a path; addresses of other hosts are never requested
  const source = image?.startsWith("/api/v1/covers/") && image !== failed ? image.slice(1) : undefined;
  return (
    <span className="cover" data-hue={hueOf(item.title)} data-type={item.media_type}>
      {source === undefined ? (
        <Icon name={typeIcon(item.media_type)} />
      ) : (
        <img src={source} alt={alt} loading="lazy" decoding="async" onError={() => setFailed(image ?? undefined)} />
      )}
    </span>
  );
}
