import { Router } from 'express';
import * as admin from '../controllers/adminController.js';
import { requireAdmin } from '../middleware/auth.js';
import { heavyLimit, writeLimit } from '../middleware/limits.js';
import { upload } from '../middleware/upload.js';

export const adminRouter = Router();
adminRouter.use(requireAdmin);

adminRouter.get('/dashboard', admin.showDashboard);
adminRouter.get('/status', admin.showStatus);
adminRouter.get('/best-sellers', admin.showBestSellers);
adminRouter.get('/orders', admin.listAdminOrders);
adminRouter.get('/orders/export.csv', heavyLimit, admin.exportOrders);
adminRouter.post('/orders/:id/ship', writeLimit, admin.shipOrder);
adminRouter.get('/customers', admin.listCustomers);
adminRouter.post('/customers/subscribe', heavyLimit, admin.subscribeCustomers);
adminRouter.put('/prices', heavyLimit, admin.updatePrices);
adminRouter.post('/products/:id/image', heavyLimit, upload.single('image'), admin.uploadImage);
adminRouter.post('/announcements', heavyLimit, admin.sendAnnouncement);
