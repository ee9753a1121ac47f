// PostFilter: asks the plug-ins of a profile, one after the other, what can be done for a pod that fits nowhere.
import type { PodInfo } from "./cluster/pod-info.ts";
import type { PostFilterContext, PostFilterResult } from "./framework/plugin.ts";
import type { WeightedPlugin } from "./profile/profile.ts";

/** The first that finds a way ends the search. A promise as soon as one of them answers by one. */
export function runPostFilter(
  plugins: readonly WeightedPlugin[],
  pod: PodInfo,
  context: PostFilterContext,
): PostFilterResult | Promise<PostFilterResult> {
  const results: PostFilterResult[] = [];
  const next = (index: number): PostFilterResult | Promise<PostFilterResult> => {
    const plugin = plugins[index]?.plugin;
    if (plugin === undefined) return combined(results);
    const answer = plugin.postFilter?.(pod, context);
    const goOn = (result: PostFilterResult | undefined) => {
      if (result !== undefined) results.push(result);
      return result?.nominatedNodeName ? combined(results) : next(index + 1);
    };
    return answer instanceof Promise ? answer.then(goOn) : goOn(answer);
  };
  return next(0);
}

/** What those said that found no way is told, unless somebody did. */
function combined(results: readonly PostFilterResult[]): PostFilterResult {
  const nominatedNodeName = results.findLast((result) => result.nominatedNodeName !== undefined)?.nominatedNodeName;
  const messages = results.flatMap(({ message }) => (message ? [message] : []));
  const pending = results.flatMap((result) => result.pending ?? []);
  return {
    message: nominatedNodeName ? "" : messages.join(", "),
    ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    ...(pending.length === 0 ? {} : { pending: Promise.all(pending).then(() => {}) }),
  };
}
