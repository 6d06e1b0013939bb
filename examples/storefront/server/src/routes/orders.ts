import { Router } from 'express';
import { createOrder, downloadInvoice, listOrders, showOrder } from '../controllers/orderController.js';
import { requireUser } from '../middleware/auth.js';

export const ordersRouter = Router();

ordersRouter.post('/', requireUser, createOrder);
ordersRouter.get('/', requireUser, listOrders);
ordersRouter.get('/:id', showOrder);
ordersRouter.get('/:id/invoice', requireUser, downloadInvoice);
