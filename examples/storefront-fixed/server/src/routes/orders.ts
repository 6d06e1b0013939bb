import { Router } from 'express';
import { createOrder, downloadInvoice, listOrders, showOrder } from '../controllers/orderController.js';
import { requireUser } from '../middleware/auth.js';
import { checkoutLimit } from '../middleware/limits.js';

export const ordersRouter = Router();
ordersRouter.use(requireUser);

ordersRouter.post('/', checkoutLimit, createOrder);
ordersRouter.get('/', listOrders);
ordersRouter.get('/:id', showOrder);
ordersRouter.get('/:id/invoice', downloadInvoice);
