import { Book } from './book.entity.js';
import { CardPayment } from './card-payment.entity.js';
import { Category } from './category.entity.js';
import { Electronic } from './electronic.entity.js';
import { Order } from './order.entity.js';
import { OrderLine } from './order-line.entity.js';
import { Payment } from './payment.entity.js';
import { Product } from './product.entity.js';
import { Tag } from './tag.entity.js';
import { WalletPayment } from './wallet-payment.entity.js';

/** A small shop with one of every mapping the kit promises: class-table and single-table inheritance, a tree, many to many, orphans, a value object, JSON, a version. */
export const shopModel = [
  Product,
  Book,
  Electronic,
  Category,
  Tag,
  Order,
  OrderLine,
  Payment,
  WalletPayment,
  CardPayment,
];
