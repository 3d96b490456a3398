import type { EntityClass } from '@mikro-orm/core';
import {
  AuditCheckpoint,
  AuditEntry,
  AuditHold,
  AuditLog,
  AuditPurge,
  AuditSeal,
  AuditSubjectKey,
  ErasedSubjectKey,
  NotAudited,
} from '#libs/audit';
import { ApiKey, Invitation, Membership, Session, User } from '#libs/identity';
import { Money, WorkProgress } from '#libs/persistence';
import { ShardRecord, SlotMapRecord, SlotRangeRecord } from '#libs/sharding';
import { PlacementMove, PlacementRecord, SlugLook, Tenant, TenantDomain } from '#libs/tenancy';
import { IdempotencyRecord } from '../http/idempotency/idempotency-record.entity.js';
import { ChangeNoticeRecord } from '../notices/change-notice.entity.js';
import { Book } from '../shop/catalogue/book.entity.js';
import { Category } from '../shop/catalogue/category.entity.js';
import { DigitalProduct } from '../shop/catalogue/digital-product.entity.js';
import { Electronic } from '../shop/catalogue/electronic.entity.js';
import { Product } from '../shop/catalogue/product.entity.js';
import { Tag } from '../shop/catalogue/tag.entity.js';
import { Order } from '../shop/orders/order.entity.js';
import { OrderLine } from '../shop/orders/order-line.entity.js';
import { CardPayment } from '../shop/payments/card-payment.entity.js';
import { Payment } from '../shop/payments/payment.entity.js';
import { WalletPayment } from '../shop/payments/wallet-payment.entity.js';
import { Transfer } from '../shop/wallets/transfer.entity.js';
import { Wallet } from '../shop/wallets/wallet.entity.js';

/** What belongs to no tenant: the central database. */
export const centralEntities = [
  Tenant,
  SlugLook,
  TenantDomain,
  PlacementRecord,
  PlacementMove,
  User,
  Membership,
  Invitation,
  Session,
  ApiKey,
  ErasedSubjectKey,
  ChangeNoticeRecord,
  ShardRecord,
  SlotMapRecord,
  SlotRangeRecord,
];

NotAudited('how far work has come; what the work changes is on record by itself')(WorkProgress);

/** What belongs to a tenant: every shard. A new entity of the product is added here, and nowhere else. */
export const tenantEntities: EntityClass[] = [
  AuditEntry,
  AuditLog,
  AuditSeal,
  AuditCheckpoint,
  AuditPurge,
  AuditHold,
  AuditSubjectKey,
  IdempotencyRecord,
  WorkProgress,
  Category,
  Tag,
  Product,
  Book,
  Electronic,
  DigitalProduct,
  Wallet,
  Transfer,
  Order,
  OrderLine,
  Payment,
  WalletPayment,
  CardPayment,
  Money,
];
