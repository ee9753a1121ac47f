// The proxy's rules for one IP family: what Services and host ports come to, and the script that tells the kernel.

import type { Pod, Service } from "../../api/types/core/v1.ts";
import type { EndpointSlice } from "../../api/types/discovery/v1.ts";
import type { DeepReadonly } from "../../machinery/index.ts";
import { EndpointIds } from "./endpoint-ids.ts";
import type { NodePlace } from "./endpoints.ts";
import { hostPortFragment, serviceFragment } from "./fragment.ts";
import { hostPortsOf } from "./host-port.ts";
import { RuleTable } from "./rule-table.ts";
import { servicePorts } from "./service-port.ts";
import { renderTable, type TableOptions } from "./table-script.ts";
import { type UdpFrontend, udpFrontends, udpHostPorts } from "./udp-flows.ts";

export class FamilyRules {
  readonly #options: TableOptions;
  readonly #rules = new RuleTable();
  readonly #ids = new EndpointIds();
  readonly #udp = new Map<string, readonly UdpFrontend[]>();
  /** Where UDP led to before the last changes, and whether there were any since `takeUdp`. */
  readonly #formerUdp: UdpFrontend[] = [];
  #isUdpChanged = false;
  #isTableMade = false;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** `service` is undefined when there is none, or when it is not ours to lead. */
  setService(
    key: string,
    service: DeepReadonly<Service> | undefined,
    slices: readonly DeepReadonly<EndpointSlice>[],
    place: NodePlace,
  ): void {
    const owner = `service ${key}`;
    const ports = service === undefined ? [] : servicePorts({ service, slices, place, family: this.#options.family });
    this.#rules.set(
      owner,
      ports.length === 0 ? this.#ids.assign(owner, () => undefined) : this.#ids.assign(owner, (idOf) => serviceFragment(ports, idOf)),
    );
    this.#setUdp(owner, udpFrontends(ports));
  }

  setPod(key: string, pod: DeepReadonly<Pod> | undefined): void {
    const owner = `pod ${key}`;
    const ports = pod === undefined ? [] : hostPortsOf(pod, this.#options.family);
    this.#rules.set(owner, ports.length === 0 ? undefined : hostPortFragment(ports));
    this.#setUdp(owner, udpHostPorts(ports));
  }

  /** What nft has to be told since the last call; "" for nothing. */
  takeScript(): string {
    const table = this.#isTableMade ? "" : renderTable(this.#options);
    if (!this.#isTableMade) this.#rules.startOver();
    this.#isTableMade = true;
    return table + this.#rules.takeChange(this.#options);
  }

  /** After a script failed: the next makes the table anew. */
  startOver(): void {
    this.#isTableMade = false;
  }

  /** Where UDP leads to when that has changed since the last call; addresses that lead nowhere any more have no endpoints. */
  takeUdp(): readonly UdpFrontend[] {
    if (!this.#isUdpChanged) return [];
    const frontends = [...this.#formerUdp.map((former) => ({ ...former, endpoints: new Set<string>() })), ...this.#udp.values()].flat();
    this.#isUdpChanged = false;
    this.#formerUdp.length = 0;
    return frontends;
  }

  #setUdp(owner: string, frontends: readonly UdpFrontend[]): void {
    const former = this.#udp.get(owner) ?? [];
    if (former.length + frontends.length === 0) return;
    this.#isUdpChanged = true;
    this.#formerUdp.push(...former);
    if (frontends.length === 0) this.#udp.delete(owner);
    else this.#udp.set(owner, frontends);
  }
}
