// ServiceAccount: its columns; it has neither defaults nor rules of its own.
import { ageColumn, integerColumn, nameColumn } from "../printing/columns.ts";
import type { KindStrategy } from "../strategy.ts";
import type { ServiceAccount } from "../types/core/v1.ts";

export const serviceAccountStrategy: KindStrategy<ServiceAccount> = {
  columns: [nameColumn, integerColumn("Secrets", (account) => account.secrets?.length ?? 0), ageColumn],
};
